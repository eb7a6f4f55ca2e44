#!/usr/bin/env bash
# Complete set-up on Debian 12: packages (sudo only if not root) and the virtual environment.
# Does nothing, in well under a second, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
    missing+=("$package")
done < setup/apt-packages.txt
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing Debian packages: ${missing[*]}"
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

# The stamp holds the requirements it was made from, so a changed list renews the environment.
stamp=.venv/requirements.installed
if ! cmp -s setup/requirements.txt "$stamp"; then
  echo "making the virtual environment in .venv (torch is some 200 MB)"
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r setup/requirements.txt
  cp setup/requirements.txt "$stamp"
fi
