//! What stands between the parentheses: `Type: Lint + Scan, "plugin.yaml"`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token};

/// The traits of the SDK and the kinds that they stand for.
const TRAITS: [(&str, &str); 6] = [
    ("Lint", "lint"),
    ("Scan", "scan"),
    ("Build", "build"),
    ("Deploy", "deploy"),
    ("Notify", "notify"),
    ("Task", "task"),
];

pub struct Invocation {
    pub plugin: Ident,
    /// The trait as written, and its kind.
    pub kinds: Vec<(Ident, &'static str)>,
    /// Relative to the crate's `Cargo.toml`.
    pub manifest: LitStr,
}

impl Parse for Invocation {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let plugin = input.parse()?;
        input.parse::<Token![:]>()?;
        let traits: Punctuated<Ident, Token![+]> = Punctuated::parse_separated_nonempty(input)?;
        input.parse::<Token![,]>()?;
        let manifest = input.parse()?;
        input.parse::<Option<Token![,]>>()?;

        let mut kinds: Vec<(Ident, &'static str)> = Vec::new();
        for name in traits {
            let Some((_, kind)) = TRAITS.iter().find(|(known, _)| name == known) else {
                return Err(syn::Error::new(
                    name.span(),
                    format!(
                        "`{name}` is no kind of plugin; there are `Lint`, `Scan`, `Build`, `Deploy`, `Notify` and `Task`"
                    ),
                ));
            };
            if kinds.iter().any(|(_, known)| known == kind) {
                return Err(syn::Error::new(name.span(), format!("`{name}` is listed twice")));
            }
            kinds.push((name, kind));
        }
        Ok(Self { plugin, kinds, manifest })
    }
}
