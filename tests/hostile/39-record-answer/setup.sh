"$SLUICE" run >&2 || test $? = 75
record=$(ls .sluice/runs/*/events.jsonl)
printf '{"seq":%s,"at":1,"event":"approval-given","job":"second","approved":true,"by":"root","decided-at":1,"chain":"%064d"}\n' \
  "$(wc -l < "$record")" 0 >> "$record"
