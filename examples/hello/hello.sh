#!/bin/sh
# Greets whom it is given.
set -eu
printf 'Hello, %s!\n' "${1:?usage: hello.sh NAME}"
