#!/bin/sh
# Print a Python that can start packaging/bootstrap.py (3.8 or newer, by trying it): the project's own when it is
# there, which is quickest. On a bare Debian or Ubuntu, root gets one installed.
try() {
    "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1
}
for candidate in "$(dirname "$0")/../.venv/bin/python" /usr/bin/python3 python3 python3.14 python3.13 python3.12 \
    python3.11 python; do
    if try "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "  Installing python3 ..." >&2
    apt-get update -q >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3 python3-venv \
        >/dev/null 2>&1 </dev/null
    if try /usr/bin/python3; then
        echo /usr/bin/python3
        exit 0
    fi
fi
echo "  No Python was found. Install Python 3.11 or newer, for example: sudo apt-get install -y python3 python3-venv" >&2
exit 1
