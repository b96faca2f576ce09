#!/bin/sh
# ansible-core 2.19.14: three words in a module's result are taken for Ansible's own, whatever the module means by them.
#
# Seen: a module that ends well and returns `unreachable: true`, say of a third machine that it looked at, makes Ansible
# take the host itself for lost: no further task runs on it, ignore_errors does not help, and the exit code is 4.
# `skipped: true`, or a list that is not empty, makes the task a skipped one: "skipping", and `is skipped` is true.
# `rescued: true` is as any other key. The module's documentation and its sanity tests say nothing against any of them.
# Expected: a failure or a warning that names the key, or that only what the executor itself sets counts.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ansible-core==2.19.14
mkdir -p "$folder/library"
cat >"$folder/library/look.py" <<'PYTHON'
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={"key": {"type": "str"}, "value": {"type": "raw"}})
module.exit_json(changed=False, **{module.params["key"]: module.params["value"]})
PYTHON
cat >"$folder/play.yml" <<'YAML'
- hosts: localhost
  gather_facts: false
  tasks:
    - look: {key: "{{ key }}", value: "{{ value }}"}
      ignore_errors: true
      register: seen
    - debug: {msg: "went on, skipped: {{ seen is skipped }}"}
YAML
cd "$folder"
try() {
    code=0
    HOME="$folder" ANSIBLE_LIBRARY="$folder/library" "$folder/venv/bin/ansible-playbook" -i localhost, -c local \
        -e "ansible_python_interpreter=$folder/venv/bin/python" -e "{\"key\": \"$1\", \"value\": $2}" play.yml >said 2>&1 || code=$?
    echo "$1: $2 -> exit $code, $(grep -o 'went on, skipped: [A-Za-z]*' said || echo 'no further task')"
}
{
    try rescued true
    try skipped '["one file"]'
    try unreachable true
} | tee seen
diff seen - <<'EXPECTED' || { echo "changed"; exit 1; }
rescued: true -> exit 0, went on, skipped: False
skipped: ["one file"] -> exit 0, went on, skipped: True
unreachable: true -> exit 4, no further task
EXPECTED
