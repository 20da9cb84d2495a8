//! Codes of jobs that run. The errors themselves are made where they happen, in crates that know
//! nothing of codes; the command line says which error has which.

use super::codes;

codes! { RUN:
    500 RECORD_UNREADABLE, "A record cannot be read as its table says",
        "A value has another type than its column, a required field is missing, or the bytes are not of the table's \
         format. The message names the file and line, or topic, partition and offset.",
        "Mend the data or the column's type; or let such records be skipped and counted: 'json.ignore-parse-errors' = 'true'.";
    501 VALUE_FAILED, "An expression has no value for some row",
        "A CAST met a text that is no number or time, an integer was divided by 0, or a number does not fit its type.",
        "Use TRY_CAST, which gives NULL instead; guard a division with NULLIF(x, 0).";
    502 UNAVAILABLE, "Something outside is missing or does not answer",
        "A file or directory is not there, or a broker cannot be reached, has no such topic, or did not answer in time.",
        "Check path, address, and network; the job goes on from its last epoch when it is started again.";
    503 INPUT_OUTPUT, "The system refused to read, write or start something",
        "A disk is full, a file may not be read or written, a pipe was closed, or there are too many threads.",
        "The message has the system's own words; mend that, and start the job again.";
    504 STATE_DOES_NOT_FIT, "What was kept does not fit what is to be done",
        "The SQL was changed so that some state has no use any more, committed offsets were moved by somebody else, or \
         a sink shows other rows than the state says. Going on could lose or repeat rows, so nothing was started.",
        "The hint says how to go on; `millstream state diff OLD NEW` shows what a change does to the state.";
    505 STATE_DAMAGED, "Kept state is missing or damaged",
        "A file of a checkpoint is not there, or its checksum is not what was written.",
        "`millstream state verify DIR` names every damaged file. Begin with an older savepoint, or with --fresh.";
    506 TAKEN_OVER, "Another instance of the job runs",
        "It holds the state directory, or has fenced this one off. This one has added nothing since.",
        "Let one of them run. Two different jobs need two names: --name or SET 'pipeline.name'.";
    507 NOT_COMMITTED, "An epoch was not committed",
        "Whoever decides did not take it, or did not say so; nobody may go on from a guess.",
        "Nothing is lost: the job goes back to its last epoch by itself. If it happens again, see the hint.";
    508 INTERNAL, "A fault of Millstream",
        "Something happened that must not, and the job was stopped rather than let it spoil results.",
        "Please report it with the message and the SQL.";
    509 OUTSIDE_REFUSES, "The outside refuses for good",
        "Rights are missing, versions or limits do not fit, or a system holds what contradicts what the job remembers; \
         trying again does not help.",
        "The hint says what to change there.";
}
