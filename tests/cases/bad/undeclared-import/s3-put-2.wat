;; The same by an author who declares it.
(component
  (import "sluice:host/exec@1.0.0" (instance
    (export "command" (type (sub resource)))))
  (instance $task)
  (export "sluice:plugin/task@1.0.0" (instance $task))
  (@custom "sluice:manifest" "name: s3-put\nversion: 0.2.0\ndescription: Puts files into a bucket.\nkinds: [task]\ncapabilities:\n  - exec: [aws]\n    reason: uploads with the tool of the vendor\n"))
