"""Asks Countersign before an agent of your own runs a tool.

`permit` returns nothing if the call may run, and otherwise why it must not.
Everything but an explicit allow is a reason not to run it.

    python3 guard.py countersign run_shell_command '{"command": "ls"}'
"""

import json
import os
import subprocess
import sys
import uuid

TIMEOUT_SECONDS = 600
# How much longer than its own deadline the hook may live.
MARGIN_SECONDS = 2
# One for each conversation: counters and approvals belong to it.
SESSION = str(uuid.uuid4())


def permit(tool, tool_input, call, program="countersign", timeout=TIMEOUT_SECONDS):
    payload = {
        "version": 1,
        "event": "before_tool",
        "session": SESSION,
        "cwd": os.getcwd(),
        "tool": tool,
        "input": tool_input,
        "call": call,
    }
    command = [program, "hook", "generic", "--event", "before_tool", "--timeout", str(timeout)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(payload).encode(),
            capture_output=True,
            timeout=timeout + MARGIN_SECONDS,
        )
        if done.returncode == 2:
            return done.stderr.decode(errors="replace").strip() or "blocked without a reason"
        if done.returncode != 0:
            return f"the guard ended with status {done.returncode}"
        answer = json.loads(done.stdout)
        # `none`: the guard has no opinion, because the agent's own dialog asks.
        if answer["version"] == 1 and answer["decision"] in ("allow", "none"):
            return None
        return "the guard did not allow it"
    except Exception as error:  # Whatever it is: nothing runs.
        return f"the guard failed: {error!r}"


if __name__ == "__main__":
    program, tool, tool_input = sys.argv[1:4]
    # What is judged is what runs: read once, and not changed in between.
    call_input = json.loads(tool_input)
    reason = permit(tool, call_input, str(uuid.uuid4()), program)
    if reason is not None:
        sys.exit(f"not run: {reason}")
    print("may run")
