#!/bin/bash
# The part of the official image's contract that docker-compose.yml uses: every KAFKA_… variable is a broker setting
# (KAFKA_LOG_DIRS is log.dirs), but KAFKA_HEAP_OPTS; CLUSTER_ID names the cluster; an empty data folder is formatted.
set -euo pipefail
properties=/tmp/server.properties
: >"$properties"
while IFS= read -r -d '' entry; do
  name=${entry%%=*}
  case $name in
    KAFKA_HEAP_OPTS) continue ;;
    KAFKA_*) key=${name#KAFKA_} && key=${key,,} && printf '%s=%s\n' "${key//_/.}" "${entry#*=}" >>"$properties" ;;
  esac
done </proc/self/environ
# shellcheck disable=SC2086  # the options are several words
java=(/opt/java/bin/java ${KAFKA_HEAP_OPTS:-} -XX:+ExitOnOutOfMemoryError -Dlog4j2.configurationFile=/opt/kafka/log4j2.xml -cp '/opt/kafka/*')
"${java[@]}" kafka.tools.StorageTool format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$properties"
exec "${java[@]}" kafka.Kafka "$properties"
