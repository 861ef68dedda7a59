#!/bin/sh
# Makes a local Maven repository for one run: what ~/.m2 has is there by symbolic links, and what it lacks is downloaded into it,
# but h2ws is not there, neither from ~/.m2 nor, afterwards, in it.
#   tests/newcomer/local-repository.sh FOLDER
set -eu
folder=$1
shared=${HOME}/.m2/repository
rm -rf "$folder"
mkdir -p "$folder/dev"
for entry in "$shared"/* "$shared"/dev/*; do
    name=${entry#"$shared"/}
    case $name in
    dev | dev/h2ws | '*' | 'dev/*') ;;
    *) ln -s "$entry" "$folder/$name" ;;
    esac
done
