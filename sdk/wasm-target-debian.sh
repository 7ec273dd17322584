#!/usr/bin/env bash
# For machines where rustup cannot fetch the target wasm32-wasip2: assembles a compiler with that target from Debian's
# packages (one matching compiler and library source, and a newer wasi-libc), in the user's cache folder. Needs no root.
# Cargo stays rustup's own; whoever builds for wasm32-wasip2 sets RUSTC to this one.
set -euo pipefail

target=wasm32-wasip2
toolchain="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/wasm-toolchain"
work="$toolchain.new"
say() { echo "setup: $*" >&2; }

for tool in apt-get dpkg; do
    command -v "$tool" >/dev/null || {
        say "cannot add $target: rustup's server is out of reach and this machine has no $tool"
        say "install the target by hand: rustup target add $target"
        exit 1
    }
done
[ -e "$toolchain/usr/bin/rustc" ] && exit 0

say "assembling $target from Debian packages (about a minute)"
rm -rf "$work"
mkdir -p "$work/deb" "$work/lists/partial"
cd "$work/deb"
host=$(rustc --print host-tuple)
version=$(apt-cache depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p')
llvm=$(apt-cache depends "$version" | sed -n 's/.*Depends: \(libllvm[0-9]*\)$/\1/p')
apt-get download --quiet rustc-web rust-web-src libstd-rust-web-dev "$version" "$llvm"

# wasi-libc for wasip2 is in a newer suite only; taken from the same mirror as everything else.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sid.list"
apt=(apt-get --quiet -o "Dir::Etc::sourcelist=$work/sid.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists")
"${apt[@]}" update
"${apt[@]}" download wasi-libc
for package in *.deb; do dpkg -x "$package" "$work"; done

usr="$work/usr"
libraries="$usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)"
mv "$usr/bin/rustc" "$usr/bin/rustc.real"
cat >"$usr/bin/rustc" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
LD_LIBRARY_PATH="\$here/../lib/$(basename "$libraries")\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "\$here/rustc.real" "\$@"
WRAPPER
chmod +x "$usr/bin/rustc"

# The linkers come with rustup's own toolchain, and find their libraries from where they really are.
ln -s "$(rustc --print sysroot)/lib/rustlib/$host/bin" "$usr/lib/rustlib/$host/bin"

libdir="$usr/lib/rustlib/$target/lib"
mkdir -p "$libdir/self-contained" "$usr/lib/rustlib/src"
cp "$usr/lib/$target"/* "$libdir/self-contained/"
[ -e "$usr/lib/rustlib/src/rust" ] || ln -s "$(echo "$usr"/src/rustc-*)" "$usr/lib/rustlib/src/rust"

crate="$work/crate"
mkdir -p "$crate/src"
printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$crate/Cargo.toml"
: >"$crate/src/lib.rs"
(
    cd "$crate"
    RUSTC_BOOTSTRAP=1 RUSTC="$usr/bin/rustc" RUSTFLAGS="-L native=$libdir/self-contained" \
        cargo build --release --quiet -Z build-std=std,panic_abort --target "$target" --target-dir "$work/target"
)
cp "$work/target/$target/release/deps/"*.rlib "$libdir/"
rm -f "$libdir"/libnothing-*.rlib
rm -rf "$work/deb" "$work/lists" "$work/target" "$crate"
cd /
rm -rf "$toolchain"
mv "$work" "$toolchain"
