#!/bin/sh
# What tests of Kerberos need: a KDC, kinit, and pykerberos, which is compiled. Where they cannot be had the tests say so and are skipped.
# Usage: kerberos.sh PYTHON CONSTRAINTS STAMP; the file STAMP is made where all of them are there.
set -eu
folder=$(dirname "$0")
packages="krb5-kdc krb5-admin-server krb5-user gcc libc6-dev libkrb5-dev"
"$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' || packages="$packages python3-dev"
# shellcheck disable=SC2086  # a list of words
if sh "$folder/system_packages.sh" $packages && "$1" -m pip install --quiet -c "$2" 'pywinrm[credssp,kerberos]'; then
    touch "$3"
    exit 0
fi
echo "Kerberos is not tested on this machine" >&2
