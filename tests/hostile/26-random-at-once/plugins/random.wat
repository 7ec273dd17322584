(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core module $memory
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (drop (memory.grow (i32.shr_u (local.get 3) (i32.const 16))))
      (i32.const 65536)))
  (core instance $memory (instantiate $memory))
  (core func $bytes (canon lower (func $random "get-random-bytes")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $m
    (import "host" "bytes" (func $bytes (param i64 i32)))
    (func (export "run") (result i32)
      (call $bytes (i64.const 4000000000) (i32.const 0))
      (i32.const 0)))
  (core instance $m (instantiate $m (with "host" (instance (export "bytes" (func $bytes))))))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
  (instance $exports (instantiate $c (with "f" (func $run))))
  (export "wasi:cli/run@0.2.0" (instance $exports)))
