//! Components that no compiler would write.

use std::sync::LazyLock;

/// A command that grows a table without end, which no compiler would write.
pub static TABLES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    by_hand(
        r#"
        (table $t 1 funcref)
        (func (export "run") (result i32)
          (loop $again
            (drop (table.grow $t (ref.null func) (i32.const 100000)))
            (br $again))
          (i32.const 0))
        "#,
    )
});

/// A command that recurses without end and without linear memory.
pub static STACK: LazyLock<Vec<u8>> =
    LazyLock::new(|| by_hand(r#"(func $f (export "run") (result i32) (i32.add (call $f) (i32.const 1)))"#));

/// A command around the fields of a core module, which exports `run`.
fn by_hand(fields: &str) -> Vec<u8> {
    let text = format!(
        r#"
        (component
          (core module $m {fields})
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
          (instance $exports (instantiate $c (with "f" (func $run))))
          (export "wasi:cli/run@0.2.0" (instance $exports)))
        "#
    );
    wat::parse_str(text).expect("the text is valid")
}
