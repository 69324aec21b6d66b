#!/bin/sh
# Fails unless the greeting names its guest.
set -eu
greeting=$("$(dirname "$0")/hello.sh" "$1")
test "$greeting" = "Hello, $1!"
echo "ok: $greeting"
