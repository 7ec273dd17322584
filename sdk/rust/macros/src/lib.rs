//! The macro behind `sluice_sdk::plugin!`.

mod invocation;
mod manifest;

use proc_macro::TokenStream;
use quote::quote;

use invocation::Invocation;

/// Makes a component of a type: `plugin!(Type: Lint + Scan, "plugin.yaml")`.
///
/// Exports the kinds whose traits are listed and no others, and embeds the manifest, whose path is relative to the
/// crate's `Cargo.toml`, as the custom section `sluice:manifest`. Does not compile when the manifest has a problem, or
/// lists other kinds than the invocation.
#[proc_macro]
pub fn plugin(input: TokenStream) -> TokenStream {
    let invocation = syn::parse_macro_input!(input as Invocation);
    expand(&invocation).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn expand(invocation: &Invocation) -> syn::Result<proc_macro2::TokenStream> {
    manifest::check(invocation)?;
    let Invocation { plugin, kinds, manifest } = invocation;
    let exports = kinds.iter().map(|(trait_name, kind)| {
        let export = quote::format_ident!("export_{kind}", span = trait_name.span());
        let module = quote::format_ident!("{kind}", span = trait_name.span());
        quote! {
            // The names of exports (`sluice:plugin/...`) are not symbols that a native linker accepts in a library, so
            // there, where unit tests run, only the trait is checked.
            #[cfg(target_family = "wasm")]
            ::sluice_sdk::bindings::#module::#export!(#plugin with_types_in ::sluice_sdk::bindings::#module);
            #[cfg(not(target_family = "wasm"))]
            const _: fn() = || {
                fn implements<T: ::sluice_sdk::#trait_name>() {}
                implements::<#plugin>();
            };
        }
    });
    Ok(quote! {
        // The exported functions of a component have fixed symbol names and take raw memory, and a custom section is
        // a named section of the linker; the language calls all three unsafe.
        #[allow(unsafe_code)]
        const _: () = {
            #(#exports)*

            const MANIFEST: &[u8] =
                ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #manifest));
            // An array, since a custom section holds bytes, not a pointer to bytes.
            #[cfg(target_family = "wasm")]
            #[used]
            #[unsafe(link_section = "sluice:manifest")]
            static SECTION: [u8; MANIFEST.len()] = {
                let mut bytes = [0; MANIFEST.len()];
                bytes.copy_from_slice(MANIFEST);
                bytes
            };
            #[cfg(not(target_family = "wasm"))]
            const _: &[u8] = MANIFEST;
        };
    })
}
