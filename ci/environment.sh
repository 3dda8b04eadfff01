# shellcheck shell=bash
# Usage: source ci/environment.sh
#
# For the other scripts: the repository's root, a JDK, Maven, and one way to speak. Changes nothing on the machine.

REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
CACHE="${XDG_CACHE_HOME:-${HOME:-$REPOSITORY/.build}/.cache}/sfumato"
MINIMUM_JDK=21
MAVEN_VERSION=3.9.16

DISTRIBUTION="$REPOSITORY/server/target/dist"
# Classes as the JVM has them in memory, written by ci/build and mapped at every start.
# shellcheck disable=SC2034 # for the scripts that source this one
ARCHIVE="$DISTRIBUTION/sfumato.jsa"

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  printf 'sfumato: %s\n' "$*" >&2
  exit 1
}

# Prints the feature release (21, 25, ...) of the JDK in folder $1; fails where there is no compiler.
jdk_release() {
  local version
  [[ -x "$1/bin/javac" && -r "$1/release" ]] || return 1
  version="$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")"
  [[ -n "$version" ]] || return 1
  printf '%s\n' "$version"
}

# Prints the folder of the JDK to use: JAVA_HOME, else the one on PATH, else the newest installed, the first that is new enough.
find_jdk() {
  local candidate release newest='' newest_release=0
  if [[ -n "${JAVA_HOME:-}" ]] && release="$(jdk_release "$JAVA_HOME")" && ((release >= MINIMUM_JDK)); then
    printf '%s\n' "$JAVA_HOME"
    return 0
  fi
  if candidate="$(command -v javac)" && candidate="$(dirname "$(dirname "$(readlink -f "$candidate")")")" \
    && release="$(jdk_release "$candidate")" && ((release >= MINIMUM_JDK)); then
    printf '%s\n' "$candidate"
    return 0
  fi
  for candidate in /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if release="$(jdk_release "$candidate")" && ((release >= MINIMUM_JDK && release > newest_release)); then
      newest="$candidate"
      newest_release="$release"
    fi
  done
  [[ -n "$newest" ]] && printf '%s\n' "$newest"
}

# Where ci/prerequisites puts Maven. Unpacking loses the run bit, so it is run by sh.
MAVEN="$CACHE/apache-maven-$MAVEN_VERSION/bin/mvn"

# Runs Maven in the repository with the given arguments.
maven() {
  JAVA_HOME="$(find_jdk)" || fail "no JDK $MINIMUM_JDK or newer found (run ci/prerequisites)"
  export JAVA_HOME
  [[ -r "$MAVEN" ]] || fail "no Maven $MAVEN_VERSION found (run ci/prerequisites)"
  # A repository that stops answering fails the build after a minute; Maven itself would wait for half an hour.
  (cd "$REPOSITORY" && sh "$MAVEN" --batch-mode -Daether.connector.requestTimeout=60000 "$@")
}

# Sets JAVA_COMMAND to the JVM with the flags that every run needs, and SERVER_JAR to the jar whose manifest names all others.
java_command() {
  local jars=("$DISTRIBUTION"/lib/sfumato-server-*.jar)
  JAVA_HOME="$(find_jdk)" || fail "no JDK $MINIMUM_JDK or newer found (run ci/prerequisites)"
  export JAVA_HOME DJL_CACHE_DIR="${DJL_CACHE_DIR:-$CACHE/djl}"
  # shellcheck disable=SC2034 # for the scripts that source this one
  SERVER_JAR="${jars[0]}"
  # shellcheck disable=SC2034
  JAVA_COMMAND=("$JAVA_HOME/bin/java" -Dorg.bytedeco.javacpp.maxPhysicalBytes=0
    "-Dorg.bytedeco.javacpp.cachedir=$REPOSITORY/.build/javacpp" -Dai.djl.offline=true "-Dsfumato.home=$REPOSITORY")
}
