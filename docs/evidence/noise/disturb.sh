#!/bin/sh
# disturb.sh RUNS N cpu|disk: loads the machine in the Nth trial of the next run below RUNS: two CPUs for 2.5 s, or the disk for 4 s.
set -eu
last() { ls -tr "$1" 2>/dev/null | tail -1; }
before=$(last "$1")
while run=$(last "$1"); [ -z "$run" ] || [ "$run" = "$before" ]; do sleep 0.1; done
until [ "$(grep -c trial.begin "$1/$run/journal.ndjson" 2>/dev/null || true)" = "$2" ]; do sleep 0.05; done
case $3 in
cpu) for i in 1 2; do nice -n -5 timeout 2.5 sh -c 'while :; do :; done' & done ;;
disk) for i in 1 2 3 4; do timeout 4 dd if=/dev/zero of="/var/tmp/disturb.$i" bs=64k oflag=direct status=none & done ;;
esac
wait || true
rm -f /var/tmp/disturb.?
