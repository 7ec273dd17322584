(component
  (core module $m
    (table 1 funcref)
    (func (export "run") (result i32) (drop (table.grow (ref.null func) (i32.const 100000000))) (i32.const 0)))
  (core instance $m (instantiate $m))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
  (instance $exports (instantiate $c (with "f" (func $run))))
  (export "wasi:cli/run@0.2.0" (instance $exports)))
