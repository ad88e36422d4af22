;; A reactor that answers with how often it was called, which is 1 for each machine of its own, and that ends
;; as the first byte of its request's body says.
(module
  (import "hatchery" "request_body_read" (func $read (param i32 i32) (result i32)))
  (import "hatchery" "response_begin" (func $begin (param i32 i32 i32) (result i32)))
  (import "hatchery" "response_write" (func $write (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "content-type\00text/plain\00")
  (global $calls (mut i32) (i32.const 0))
  (func $down (param i64) (result i64)
    (i64.rotl (call $down (i64.add (local.get 0) (i64.load (i32.const 128)))) (local.get 0)))
  (func (export "_initialize") (i32.store8 (i32.const 64) (i32.const 48)))
  (func (export "hatchery_handle") (local $case i32)
    (drop (call $read (i32.const 80) (i32.const 1)))
    (local.set $case (i32.load8_u (i32.const 80)))
    (if (i32.eq (local.get $case) (i32.const 100)) ;; d
      (then (drop (i32.div_s (i32.const 1) (i32.load (i32.const 128))))))
    (if (i32.eq (local.get $case) (i32.const 117)) (then unreachable)) ;; u
    (if (i32.eq (local.get $case) (i32.const 114)) ;; r
      (then (i64.store (i32.const 136) (call $down (i64.const 1)))))
    (if (i32.eq (local.get $case) (i32.const 111)) ;; o
      (then (i32.store offset=0xfffffff0 (i32.const -16) (i32.const 1))))
    (if (i32.eq (local.get $case) (i32.const 103)) ;; g
      (then (loop $more
        (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable))
    (i32.store8 (i32.const 64) (i32.add (i32.load8_u (i32.const 64)) (i32.const 1)))
    (drop (call $begin (i32.const 200) (i32.const 0) (i32.const 24)))
    (drop (call $write (i32.const 64) (i32.const 1)))))
