#!/usr/bin/env bash
# Runs the jars on a version of Pekko HTTP that they were not built against, by both doors.
#
#   run.sh PEKKO_HTTP SCALA PEKKO JARS DROPIN_JAR DIRECTORY     DIRECTORY: for the class path's file
#
# JAVA: which java program.
set -euo pipefail

http=$1 scala=$2 pekko=$3 jars=$4 dropin=$5 directory=$6
file=$directory/classpath-$http-$scala
mvn -q -B -ntp -f "$(dirname "${BASH_SOURCE[0]}")" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \
    "-Dmdep.outputFile=$(realpath "$directory")/$(basename "$file")" "-Dpekko.http.version=$http" "-Dpekko.scala=$scala" "-Dpekko.version=$pekko"
for door in explicit drop-in; do
    path=$jars
    [ "$door" = explicit ] || path=$path:$dropin
    "${JAVA:-java}" -cp "$path:$(cat "$file")" dev.h2ws.pekko.Smoke "$door" "Pekko HTTP $http" "Scala $scala" "Pekko $pekko"
done
