(component
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r))
  (core module $m
    (import "host" "new" (func $new (param i32) (result i32)))
    (func (export "run") (result i32)
      (loop (drop (call $new (i32.const 1))) (br 0))
      (i32.const 0)))
  (core instance $m (instantiate $m (with "host" (instance (export "new" (func $new))))))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
  (instance $exports (instantiate $c (with "f" (func $run))))
  (export "wasi:cli/run@0.2.0" (instance $exports)))
