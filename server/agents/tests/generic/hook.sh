#!/bin/sh
# A stand-in for `countersign hook generic`: what it does is named in the
# payload.
input=$(cat)
printf '%s %s\n' "$*" "$input" >"$0.$$.log"
case "$input" in
*does-allow*) printf '{"decision":"allow","version":1}\n' ;;
*does-no-opinion*) printf '{"decision":"none","version":1}\n' ;;
*does-deny*)
	printf '{"decision":"block","reason":"a rule forbids it","version":1}\n'
	echo "a rule forbids it" >&2
	exit 2
	;;
*does-silence*) ;;
*does-garbage*) printf 'allow' ;;
*does-ask*) printf '{"decision":"ask","version":1}\n' ;;
*does-fail*)
	printf '{"decision":"allow","version":1}\n'
	exit 1
	;;
*does-get-killed*)
	printf '{"decision":"allow","version":1}\n'
	kill -9 $$
	;;
esac
