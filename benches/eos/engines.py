"""What eos.py drives: a broker, the load, and three engines that run the same job, each behind the same few functions."""
import json, os, queue, shutil, signal, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import figures  # noqa: E402

CACHE = os.environ.get("MILLSTREAM_CACHE", os.path.expanduser("~/.cache/millstream"))
PEERS = os.path.join(CACHE, "bench", "peers")
KAFKA = os.path.join(CACHE, "kafka-4.4.0", "libs", "*")
MAVEN = {
    "streams": ["org.apache.kafka:kafka-streams:4.3.1", "com.fasterxml.jackson.core:jackson-core:2.21.7", "org.slf4j:slf4j-simple:1.7.36"],
    "flink": ["org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"],
}
QUIET = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]


def fetch(name):
    """Has Maven fetch the jars of a peer, once; returns their directory."""
    libs = os.path.join(PEERS, name)
    if not os.path.isdir(libs):
        print("fetching", ", ".join(MAVEN[name]), file=sys.stderr)
        os.makedirs(PEERS, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PEERS) as work:
            wanted = "".join("<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>"
                             % tuple(artifact.split(":")) for artifact in MAVEN[name])
            with open(os.path.join(work, "pom.xml"), "w") as pom:
                pom.write("<project><modelVersion>4.0.0</modelVersion><groupId>millstream</groupId><artifactId>peers</artifactId>"
                          f"<version>1</version><dependencies>{wanted}</dependencies></project>")
            subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"], cwd=work, check=True,
                           stdout=sys.stderr)
            os.rename(os.path.join(work, "libs"), libs)
    return libs


def compile_java(directory):
    """Compiles the two Java programs; takes two seconds, so nothing is cached."""
    for source, libs in (("Load", KAFKA), ("Streams", os.path.join(fetch("streams"), "*"))):
        subprocess.run(["javac", "-d", directory, "-cp", libs, os.path.join(HERE, source + ".java")], check=True)


class Resident:
    """A process that answers commands: a line in, a line of JSON out."""

    def __init__(self, command, log):
        self.log = log
        with open(log, "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.answers = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.answers.put(json.loads(line))
        self.answers.put(None)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self, timeout_s):
        try:
            answer = self.answers.get(timeout=timeout_s)
        except queue.Empty:
            raise SystemExit(f"no answer within {timeout_s} s, see {self.log}") from None
        if answer is None:
            with open(self.log) as text:
                raise SystemExit("ended early:\n" + text.read()[-3000:])
        return answer

    def ask(self, line, timeout_s=600):
        self.tell(line)
        return self.answer(timeout_s)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Kafka:
    """One broker of our own, and what Load.java does with it."""

    def __init__(self, directory, classes):
        self.directory, self.classes = os.path.join(directory, "kafka"), classes
        self.script = os.path.join(HERE, "..", "..", "tests", "services", "kafka.sh")
        env = subprocess.run([self.script, "start", self.directory], check=True, stdout=subprocess.PIPE, text=True).stdout
        values = dict(line.split("=", 1) for line in env.split())
        self.bootstrap, self.pid = values["BOOTSTRAP"], int(values["PID"])

    def command(self, verb, *arguments):
        return ["java", "-Xmx512m", *QUIET, "-cp", self.classes + ":" + KAFKA, "Load", verb, self.bootstrap, *map(str, arguments)]

    def load(self, verb, *arguments):
        out = subprocess.run(self.command(verb, *arguments), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        return json.loads(out.splitlines()[-1]) if out else None

    def paced(self, *arguments):
        return Resident(self.command("paced", *arguments), os.path.join(os.path.dirname(self.directory), "load.log"))

    def cpu(self):
        return figures.process(self.pid)["cpu"]

    def stop(self):
        subprocess.run([self.script, "stop", self.directory], check=True)


def render(job, path):
    """Writes a job's SQL file from its template; settings that only exactly-once has are left out without it."""
    with open(os.path.join(HERE, job.get("template", "window.sql"))) as file:
        text = file.read()
    transaction = (f", 'sink.transactional-id-prefix' = '{job['name']}', 'properties.transaction.timeout.ms' = '60000'"
                   if job.get("guarantee") == "exactly-once" else "")
    for name, value in (job | {"transaction": transaction}).items():
        text = text.replace("{" + name + "}", str(value))
    with open(path, "w") as file:
        file.write(text)
    return path


class Millstream:
    """A process for each job; its state in a directory of the job's name."""

    def __init__(self, binary, directory, parallelism):
        self.binary, self.directory, self.parallelism = binary, directory, parallelism
        usage = subprocess.run([binary, "run", "--help"], stdout=subprocess.PIPE, text=True).stdout
        self.keeps_state = "--state-dir" in usage
        self.process = None

    def state(self, job):
        return os.path.join(self.directory, job["name"] + ".state")

    def command(self, job, *flags):
        file = render(job, os.path.join(self.directory, job["name"] + ".sql"))
        keep = ["--state-dir", self.state(job)] if self.keeps_state else []
        return [self.binary, "run", file, "-q", "-o", "none", "-p", str(self.parallelism), *keep, *flags]

    def run(self, job, *flags):
        start = time.monotonic()
        with open(os.path.join(self.directory, "millstream.log"), "w+") as log:
            process = subprocess.Popen(self.command(job, *flags), stdout=subprocess.PIPE, stderr=log)
            self.out = process.stdout.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            wall, process.returncode = time.monotonic() - start, os.waitstatus_to_exitcode(status)
            log.seek(0)
            if process.returncode:
                raise SystemExit(f"millstream failed with {process.returncode}:\n{log.read()[-3000:]}")
        shutil.rmtree(self.state(job), ignore_errors=True)
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024}

    def start(self, job, *flags):
        self.log = open(os.path.join(self.directory, job["name"] + ".log"), "a")
        self.process = subprocess.Popen(self.command(job, *flags), stdout=subprocess.DEVNULL, stderr=self.log)

    def figures(self):
        if self.process.poll() is not None:
            with open(self.log.name) as text:
                raise SystemExit(f"millstream ended with {self.process.returncode}:\n{text.read()[-3000:]}")
        return figures.process(self.process.pid)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            print("millstream did not stop within 30 s of SIGTERM", file=sys.stderr)
            self.kill()
        self.log.close()

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()


class Flink:
    def __init__(self, directory, parallelism):
        jars = fetch("flink")
        jar = next(os.path.join(jars, name) for name in os.listdir(jars) if name.startswith("flink-sql-connector-kafka"))
        self.directory = directory
        self.resident = Resident([sys.executable, os.path.join(HERE, "flink.py"), jar, os.path.join(directory, "flink-checkpoints"),
                                  str(parallelism)], os.path.join(directory, "flink.log"))

    def file(self, job):
        return render(job, os.path.join(self.directory, job["name"] + ".sql"))

    def run(self, job):
        return self.resident.ask("run " + self.file(job))

    def start(self, job):
        self.resident.ask("start " + self.file(job))

    def figures(self):
        return figures.jvm_below(self.resident.process.pid)

    def stop(self):
        self.resident.ask("stop")

    def end(self):
        self.resident.end()


class Streams:
    def __init__(self, directory, classes):
        self.resident = Resident(["java", *QUIET, f"-Djava.io.tmpdir={directory}", "-cp",
                                  classes + ":" + os.path.join(fetch("streams"), "*"), "Streams"], os.path.join(directory, "streams.log"))

    def line(self, verb, job):
        guarantee = {"exactly-once": "exactly_once_v2", "at-least-once": "at_least_once"}[job["guarantee"]]
        ms = {name: round(float(job[name]) * 1000) for name in ("window", "delay")}
        return " ".join(map(str, [verb, job["name"], job["bootstrap"], job["input"], job["output"], job["interval_ms"], guarantee,
                                  ms["window"], ms["delay"]]))

    def run(self, job):
        return self.resident.ask(self.line("run", job))

    def start(self, job):
        self.resident.ask(self.line("start", job))

    def figures(self):
        return figures.process(self.resident.process.pid)

    def stop(self):
        self.resident.ask("stop")

    def end(self):
        self.resident.end()
