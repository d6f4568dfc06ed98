#!/bin/sh
# Sends every invoice file in the inbox, one run of paylinks each, and moves it by that run's exit status, together with
# the links and rejected files that stand beside it:
#
#   0              every row has a link                   to done
#   3, 65          rows failed, or the file was refused   to attention: a person must look at it
#   69, 75         unfinished                             it stays; the next call of this script goes on with it
#   130            interrupted                            it stays, and the script stops
#   anything else  no other file would fare better        it stays, and the script stops
#
# Nothing is ever overwritten: where a name is taken the file gets a number. It is safe to run this script again at any
# time. While it runs, a second call ends with 75 (without flock(1) it goes on, and the ledger lets only one of them send).
#
# Only names in .csv are taken. A file that is being uploaded should be called otherwise (invoices.csv.part) and be renamed
# when it is whole; one that has changed in the last minute is left for the next call, for those who cannot do that. Links
# and rejected files are never taken. What is in attention with status 65 was refused as a whole: correct the file itself and put it
# back. Its rejected file, corrected and under a name of its own, is enough only where PAYLINKS_SKIP_INVALID has sent the other rows.
#
# Settings are environment variables; paylinks takes its own as PAYLINKS_<FLAG>, see paylinks.env.
#
#   INBOX           folder with the invoice files
#   DONE            default: INBOX/done
#   ATTENTION       default: INBOX/attention
#   PAYLINKS        the program (default: paylinks)
#   SETTLE_MINUTES  how long a file must not have changed (default: 1; 0 is not at all)
#
# A line for each file goes to standard output: exit status, name, where it is now. Exit status: 0 all are done;
# 3 some need a person; 69, 75 some are unfinished; 64 INBOX is missing; 73 a file cannot be moved; else that of the run
# that stopped the script.
set -eu
unset CDPATH

PAYLINKS=${PAYLINKS:-paylinks}
SETTLE_MINUTES=${SETTLE_MINUTES:-1}
worst=0

fail() { # STATUS TEXT
	printf 'nightly: error: %s\n' "$2" >&2
	exit "$1"
}

say() { # WHAT NAME [WHERE]; a name may hold anything, line breaks too
	printf '%s %s%s' "$1" "$2" "${3:+ -> $3}" | tr '[:cntrl:]' '?'
	echo
}

folder() { # PATH: its absolute path; it is made if need be
	mkdir -p -- "$1" && cd -- "$1" && [ -w . ] && pwd
}

# taken says whether any file of that name, in any of its forms, is there.
taken() { # PATH WITHOUT EXTENSION
	for there in "$1".[cC][sS][vV] "$1".links.csv "$1".rejected.csv "$1".rejected.[0-9]*.csv; do
		if [ -e "$there" ] || [ -L "$there" ]; then
			return 0
		fi
	done
	return 1
}

# settle moves the invoice file and what stands beside it. The invoice file goes last: if this breaks off, the next call
# finds it in the inbox and writes the others again.
settle() { # FOLDER FILE STATUS
	stem=${2%.*}
	name=${stem##*/}
	number=
	n=1
	while taken "$1/$name$number"; do
		n=$((n + 1))
		number=.$n
	done
	for file in "$stem.links.csv" "$stem.rejected.csv" "$stem".rejected.[0-9]*.csv "$2"; do
		[ -e "$file" ] || continue
		mv -n -- "$file" "$1/$name$number${file#"$stem"}" || true
		if [ -e "$file" ]; then
			fail 73 "cannot move $file to $1"
		fi
	done
	say "$3" "${2##*/}" "$1/$name$number.${2##*.}"
}

# send runs paylinks on the file and moves it.
send() { # FILE
	status=0
	"$PAYLINKS" run --quiet "$1" || status=$?
	if ! [ -e "$1" ]; then # another call of this script was faster
		say "$status" "${1##*/}" gone
		return
	fi
	case $status in
	0) settle "$DONE" "$1" "$status" ;;
	3 | 65)
		settle "$ATTENTION" "$1" "$status"
		status=3
		;;
	*) say "$status" "${1##*/}" ;;
	esac
	case $status in
	0 | 3 | 69 | 75) if [ "$status" -gt "$worst" ]; then worst=$status; fi ;;
	*) exit "$status" ;;
	esac
}

[ -n "${INBOX:-}" ] || fail 64 'INBOX is not set: it names the folder with the invoice files'
INBOX=$(cd -- "$INBOX" && pwd) || fail 64 'INBOX is no folder that can be read'
DONE=$(folder "${DONE:-$INBOX/done}") || fail 73 'the folder DONE cannot be written'
ATTENTION=$(folder "${ATTENTION:-$INBOX/attention}") || fail 73 'the folder ATTENTION cannot be written'

# The folder itself is the lock: there is nothing to clean up, and paylinks, which inherits it, keeps it to its end.
if command -v flock >/dev/null; then
	exec 9<"$INBOX"
	locked=0
	flock -n -E 75 9 || locked=$?
	if [ "$locked" -eq 75 ]; then
		say 75 "$INBOX" 'another call of this script is at work'
		exit 75
	fi
fi

# With a trap the shell waits for paylinks, which ends in good order by itself, and the file is moved before the end.
interrupted=
trap 'interrupted=yes' HUP INT TERM

for file in "$INBOX"/*.[cC][sS][vV]; do
	if [ -n "$interrupted" ]; then
		exit 130
	fi
	case $file in
	*.links.csv | *.rejected.csv | *.rejected.[0-9]*.csv) continue ;;
	esac
	if ! [ -f "$file" ] || [ -L "$file" ]; then
		continue
	fi
	if [ "$SETTLE_MINUTES" -gt 0 ] && [ -n "$(find "$file" -prune -mmin "-$SETTLE_MINUTES")" ]; then
		say - "${file##*/}" 'changed just now, left for the next call'
		continue
	fi
	send "$file"
done
if [ -n "$interrupted" ]; then
	exit 130
fi
exit "$worst"
