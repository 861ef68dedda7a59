#!/usr/bin/env bash
# Runs the jars on a version of Play.
#
#   run.sh PLAY SCALA JARS DIRECTORY     DIRECTORY: for the class path's file and the classes of the smoke test
#
# JAVA: which java program, whose javac is beside it.
set -euo pipefail

play=$1 scala=$2 jars=$3 directory=$(realpath "$4")
here=$(dirname "${BASH_SOURCE[0]}")
file=$directory/classpath-$play-$scala classes=$directory/classes-$play-$scala
mvn -q -B -ntp -f "$here" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \
    "-Dmdep.outputFile=$file" "-Dplay.version=$play" "-Dplay.scala=$scala"
path=$jars:$(cat "$file")
java=$(command -v "${JAVA:-java}")
"$(dirname "$(readlink -f "$java")")/javac" --release 17 -Xlint:all,-classfile,-path,-try -Werror -proc:none -d "$classes" -cp "$path" "$here/src/dev/h2ws/pekko/PlaySmoke.java"
"$java" -cp "$classes:$path" dev.h2ws.pekko.PlaySmoke "Play $play" "Scala $scala"
