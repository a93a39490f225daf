#!/bin/sh
# A stand-in for `countersign`: what it does is named in the payload.
# It reads no more than the beginning: a hook may end before it was told all.
input=$(head -c 2000)
printf '%s %s\n' "$*" "$input" >"$0.$$.log"
case "$input" in
*does-allow*) printf '{"decision":"allow"}\n' ;;
*does-wait*)
	until [ -e "${0%/*}/meanwhile" ]; do sleep 0.02; done
	printf '{"decision":"allow"}\n'
	;;
*does-no-opinion*) printf '{"decision":"none"}\n' ;;
*does-deny*)
	echo "Countersign: a rule forbids it" >&2
	exit 2
	;;
*does-wordless-deny*) exit 2 ;;
*does-silence*) ;;
*does-garbage*) printf 'allow' ;;
*does-unknown-answer*) printf '{"decision":"ask"}' ;;
*does-fail*)
	printf '{"decision":"allow"}\n'
	exit 1
	;;
*does-get-killed*)
	printf '{"decision":"allow"}\n'
	kill -9 $$
	;;
*does-hang*) exec sleep 20 ;;
*does-talk*) exec yes '{"decision":"allow"}' ;;
*does-not-listen*) exit 2 ;;
esac
