#!/bin/sh
# ansible-lint 26.10.1 with ansible-core 2.19.14: a path of collections that ends in ansible_collections is good for
# ansible, and ansible-lint finds no playbook of a collection there.
#
# Seen: with ANSIBLE_COLLECTIONS_PATH=<folder>/ansible_collections, ansible-playbook plays an import_playbook of
# acme.site.hello. ansible-lint says "Failed to find acme.site.hello playbook." and ends with 0; with <folder> it says
# nothing. Ansible strips the last part of such a path (config/base.yml, COLLECTIONS_PATHS, and its collection finder).
# galaxy-importer 0.4.44 gives ansible-lint a path of this form, so Galaxy's log warns of every such import.
# Expected: both take the same paths.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ansible-core==2.19.14 ansible-lint==26.10.1
PATH="$folder/venv/bin:$PATH" HOME="$folder"
export PATH HOME
site="$folder/collections/ansible_collections/acme/site"
mkdir -p "$site/playbooks" "$folder/project/playbooks"
printf 'namespace: acme\nname: site\nversion: 1.0.0\nauthors: [me]\nreadme: README.md\n' >"$site/galaxy.yml"
cat >"$site/playbooks/hello.yml" <<'YAML'
---
- name: Hello
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Say it
      ansible.builtin.debug:
        msg: hello from a collection
YAML
cat >"$folder/project/playbooks/all.yml" <<'YAML'
---
- name: Greet
  ansible.builtin.import_playbook: acme.site.hello
YAML
cd "$folder/project"
try() {
    ANSIBLE_COLLECTIONS_PATH="$1" ansible-playbook -i localhost, -c local playbooks/all.yml >"$folder/played" 2>&1
    grep -q 'hello from a collection' "$folder/played" || { cat "$folder/played"; exit 1; }
    ANSIBLE_COLLECTIONS_PATH="$1" ansible-lint --offline playbooks/all.yml >"$folder/linted" 2>&1 || { cat "$folder/linted"; exit 1; }
    grep -c 'Failed to find acme.site.hello playbook' "$folder/linted" || true
}
for path in "$folder/collections" "$folder/collections/ansible_collections"; do
    missing=$(try "$path")
    echo "${path#"$folder/"}: played; ansible-lint failed to find it: $missing"
    case "$path:$missing" in
        */collections:0 | */ansible_collections:[1-9]*) ;;
        *) echo "changed"; exit 1 ;;
    esac
done
