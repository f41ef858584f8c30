#!/bin/sh
# Visits a page so many times and says how long each visit took.
#   count.sh ADDRESS TIMES
i=0
while [ "$i" -lt "${2:-3}" ]; do
    i=$((i + 1))
    curl -s -o /dev/null -w "visit $i: %{http_code} after %{time_total} s\n" "$1"
done
