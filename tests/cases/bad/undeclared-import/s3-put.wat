;; Imports programs, and says nothing of it.
(component
  (import "sluice:host/exec@1.0.0" (instance
    (export "command" (type (sub resource)))))
  (instance $task)
  (export "sluice:plugin/task@1.0.0" (instance $task))
  (@custom "sluice:manifest" "name: s3-put\nversion: 0.1.0\ndescription: Puts files into a bucket.\nkinds: [task]\n"))
