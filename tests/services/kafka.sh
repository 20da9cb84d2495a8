#!/usr/bin/env bash
# One real Kafka broker (KRaft, one node, loopback only) for tests, benches and trying things out.
#
#   kafka.sh fetch         fetch Kafka's jars into the cache with Maven, unless they are there
#   kafka.sh start [DIR]   start a broker; DIR/env then holds BOOTSTRAP=host:port, SASL_BOOTSTRAP
#                          (a listener that wants user `alice` with password `wonderland`), PID=n
#   kafka.sh stop  [DIR]   stop the broker of DIR and remove DIR
#   kafka.sh lend  [DIR]   print DIR/env of the broker of DIR, starting it if need be, and keep it
#                          while standard input is open; the broker stops by itself soon after the
#                          last borrower has gone, however it went (end, panic, kill -9)
#   kafka.sh hold  DIR     start a broker for one user, print DIR/env and a line `ready`, then obey
#                          the lines of standard input, each answered by `ready`: `crash` (kill -9),
#                          `terminate` (SIGTERM), `resume` (start it again on its data); at the end
#                          of the input the broker stops and DIR goes
#
# PROXIED_PORTS='P1 P2 …' adds a listener for each, which tells its clients to connect to 127.0.0.1:P1
# and so on, where a proxy is expected to be; DIR/env then holds their own ports, PROXIED='P P …'.
# SEPARATE_CONTROLLER=1 gives the controller a process of its own, which `crash`, `terminate` and
# `resume` leave alone. Kafka 4.4 takes partitions without a known leader for deleted and does not
# write the markers of transactions there ("likely deleted already and hence can be skipped" in its
# log), so that rows of an aborted transaction become visible with the next, or committed ones are
# lost. With more brokers there is always a leader; a lone one is without while it comes back if it
# is its own controller, and in a controlled shutdown, which is therefore switched off.
#
# Nothing is installed and no fixed port is used. Needs java (17 or later), and mvn for fetch.
set -euo pipefail

version=4.4.0
home="${MILLSTREAM_CACHE:-$HOME/.cache/millstream}/kafka-$version"
libs="$home/libs"
linger_s=5

say() { echo "kafka.sh: $*" >&2; }
die() { say "$*"; exit 1; }

fetch() {
    [ -e "$home/complete" ] && return 0
    command -v mvn >/dev/null || die "mvn is missing: apt-get install maven"
    say "fetching Kafka $version into $libs (43 MB, once)"
    local work
    mkdir -p "$home"
    work=$(mktemp -d "$home/fetch.XXXXXX")
    cat >"$work/pom.xml" <<POM
<project><modelVersion>4.0.0</modelVersion>
<groupId>millstream</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
POM
    (cd "$work" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=libs >&2) || {
        rm -rf "$work"
        die "Maven could not fetch Kafka $version; is Maven Central reachable?"
    }
    rm -rf "$libs"
    mv "$work/libs" "$libs"
    rm -rf "$work"
    touch "$home/complete"
}

# A port below the ephemeral range on which nothing listens now. Somebody may take it before the
# broker does: start tries again with others.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

configure() { # DIR
    local dir=$1 port controller sasl advertised number=0 listeners='' names='' told='' ports=()
    port=$(free_port)
    # Three different ones; `start` tries again if one of them is taken after all.
    controller=$((port + 1)) sasl=$((port + 2))
    for advertised in ${PROXIED_PORTS:-}; do
        ports+=($((port + 3 + number)))
        listeners+=",VIA$number://127.0.0.1:${ports[number]}"
        told+=",VIA$number://127.0.0.1:$advertised"
        names+=",VIA$number:PLAINTEXT"
        number=$((number + 1))
    done
    local roles=broker,controller voter=1 own=",CONTROLLER://127.0.0.1:$controller"
    if [ -n "${SEPARATE_CONTROLLER:-}" ]; then
        roles=broker voter=100 own=
        cat >"$dir/controller.properties" <<PROPERTIES
process.roles=controller
node.id=100
controller.quorum.voters=100@127.0.0.1:$controller
listeners=CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT
broker.session.timeout.ms=2000
log.dirs=$dir/data/controller
PROPERTIES
    fi
    rm -rf "$dir/data"
    cat >"$dir/server.properties" <<PROPERTIES
process.roles=$roles
node.id=1
controller.quorum.voters=$voter@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,SASL://127.0.0.1:$sasl$own$listeners
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL://127.0.0.1:$sasl$told
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT$names
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="wonderland";
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
auto.create.topics.enable=false
controlled.shutdown.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
log.dirs=$dir/data/broker
PROPERTIES
    printf 'BOOTSTRAP=127.0.0.1:%s\nSASL_BOOTSTRAP=127.0.0.1:%s\n' "$port" "$sasl" >"$dir/bootstrap"
    [ "$number" -eq 0 ] || echo "PROXIED='${ports[*]}'" >>"$dir/bootstrap"
}

launch() { # DIR; leaves the broker's pid in $pid
    local dir=$1 id role
    # A cluster id is 16 bytes in URL-safe base64; the A keeps it from looking like an option.
    id="A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)"
    : >"$dir/log"
    for role in controller server; do
        [ -e "$dir/$role.properties" ] || continue
        java -cp "$libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
            kafka.tools.StorageTool format -t "$id" -c "$dir/$role.properties" >>"$dir/log" 2>&1 ||
            { cat "$dir/log" >&2; die "the storage could not be formatted"; }
    done
    if [ -n "${SEPARATE_CONTROLLER:-}" ]; then
        setsid java -Xmx256m -cp "$libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
            kafka.Kafka "$dir/controller.properties" >"$dir/controller.log" 2>&1 </dev/null 7>&- 8>&- 9>&- &
        echo "$!" >"$dir/controller.pid"
        disown
    fi
    run "$dir"
}

run() { # DIR; leaves the broker's pid in $pid
    local dir=$1
    setsid java -Xmx512m -cp "$libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
        -Dorg.slf4j.simpleLogger.log.kafka.coordinator.transaction.TransactionMarkerChannelManager=info \
        kafka.Kafka "$dir/server.properties" >>"$dir/log" 2>&1 </dev/null 7>&- 8>&- 9>&- &
    pid=$!
}

ready() { # DIR PID
    local dir=$1 pid=$2
    for _ in $(seq 600); do
        kill -0 "$pid" 2>/dev/null || return 1
        grep -q "Kafka Server started" "$dir/log" && return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    return 1
}

alive() { # DIR
    [ -e "$1/env" ] && kill -0 "$(sed -n 's/^PID=//p' "$1/env")" 2>/dev/null
}

start() { # DIR
    local dir=$1 try pid
    command -v java >/dev/null || die "java is missing: apt-get install openjdk-17-jre-headless"
    fetch
    alive "$dir" && { say "already running"; return 0; }
    mkdir -p "$dir"
    for try in 1 2 3; do
        configure "$dir"
        launch "$dir"
        if ready "$dir" "$pid"; then
            { cat "$dir/bootstrap"; echo "PID=$pid"; } >"$dir/env.new"
            mv "$dir/env.new" "$dir/env"
            return 0
        fi
        say "try $try: the broker did not come up"
    done
    tail -n 20 "$dir/log" >&2
    die "the broker does not start"
}

stop() { # DIR
    local dir=$1 pid
    [ -e "$dir/env" ] || return 0
    pid=$(sed -n 's/^PID=//p' "$dir/env")
    kill "$pid" 2>/dev/null || true
    # It has nothing that would be worth a slow end.
    [ ! -e "$dir/controller.pid" ] || kill -9 "$(cat "$dir/controller.pid")" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -rf "$dir/data" "$dir/env" "$dir/bootstrap" "$dir/log" "$dir/log.old" "$dir/server.properties" \
        "$dir"/controller.{log,pid,properties}
    rmdir "$dir" 2>/dev/null || true
}

# Stops the broker once nobody has borrowed it for $linger_s: borrowers hold a shared lock.
guard() { # DIR
    local dir=$1 idle=0
    while alive "$dir"; do
        sleep 1
        if flock --nonblock --exclusive "$dir.users" true; then
            idle=$((idle + 1))
        else
            idle=0
        fi
        if [ "$idle" -ge "$linger_s" ]; then
            exec 7>"$dir.lock" && flock 7
            # Nobody can become a borrower while we hold the lock: look once more, then stop.
            if flock --nonblock --exclusive "$dir.users" true; then
                stop "$dir"
                return
            fi
            exec 7>&-
            idle=0
        fi
    done
}

lend() { # DIR
    local dir=$1
    mkdir -p "$(dirname "$dir")"
    exec 7>"$dir.lock" 8>"$dir.users"
    flock 7
    flock --shared 8
    if ! alive "$dir"; then
        start "$dir"
        setsid "$0" guard "$dir" >/dev/null 2>&1 </dev/null 7>&- 8>&- &
    fi
    exec 7>&-
    cat "$dir/env"
    exec 1>&-
    cat >/dev/null
}

hold() { # DIR
    local dir=$1 order pid
    start "$dir"
    trap 'stop "$dir"' EXIT
    cat "$dir/env"
    echo ready
    while read -r order; do
        pid=$(sed -n 's/^PID=//p' "$dir/env")
        case "$order" in
            crash) kill -9 "$pid" && { wait "$pid" 2>/dev/null || true; } ;;
            terminate) kill "$pid" && { wait "$pid" 2>/dev/null || true; } ;;
            resume)
                cat "$dir/log" >>"$dir/log.old"
                : >"$dir/log"
                run "$dir"
                ready "$dir" "$pid" || die "the broker does not come back; see $dir/log"
                sed -i "s/^PID=.*/PID=$pid/" "$dir/env" ;;
            *) die "there is no order \`$order\`" ;;
        esac
        echo ready
    done
}

command=${1:-}
dir=${2:-${TMPDIR:-/tmp}/millstream-kafka.$(id -u)}
case "$command" in
    fetch) fetch ;;
    start) start "$dir" && cat "$dir/env" ;;
    stop | lend | guard | hold) "$command" "$dir" ;;
    *) sed -n '2,24s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
