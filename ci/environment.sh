# shellcheck shell=bash
# Usage: source ci/environment.sh
#
# For the other scripts: the repository's root, a JDK, Maven, and one way to speak. Changes nothing on the machine.

REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
CACHE="${XDG_CACHE_HOME:-${HOME:-$REPOSITORY/.build}/.cache}/sfumato"
MINIMUM_JDK=21
MINIMUM_MAVEN=3.9
MAVEN_VERSION=3.9.16

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

# Succeeds when version $1 is at least version $2.
version_at_least() {
  [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]
}

# Prints the command of a Maven that is new enough, one word a line: the system's, else the one that ci/prerequisites fetched.
find_maven() {
  local version
  if command -v mvn >/dev/null; then
    version="$(mvn --version 2>/dev/null | sed 's/\x1b\[[0-9;]*m//g' | sed -n 's/^Apache Maven \([0-9.]*\).*/\1/p')"
    if [[ -n "$version" ]] && version_at_least "$version" "$MINIMUM_MAVEN"; then
      printf 'mvn\n'
      return 0
    fi
  fi
  # Unpacking loses the run bit.
  if [[ -r "$CACHE/apache-maven-$MAVEN_VERSION/bin/mvn" ]]; then
    printf 'sh\n%s\n' "$CACHE/apache-maven-$MAVEN_VERSION/bin/mvn"
    return 0
  fi
  return 1
}

# Runs Maven in the repository with the given arguments.
maven() {
  local command
  JAVA_HOME="$(find_jdk)" || fail "no JDK $MINIMUM_JDK or newer found (run ci/prerequisites)"
  export JAVA_HOME
  mapfile -t command < <(find_maven)
  ((${#command[@]} > 0)) || fail "no Maven $MINIMUM_MAVEN or newer found (run ci/prerequisites)"
  (cd "$REPOSITORY" && "${command[@]}" --batch-mode "$@")
}
