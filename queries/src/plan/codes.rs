//! Codes of the planner's diagnostics, with what each means.

use crate::codes::codes;

codes! { PLAN:
    300 UNKNOWN_TABLE, "An unknown table or view",
        "No CREATE TABLE or CREATE VIEW before this statement has the name. Names keep their case.",
        "Correct the name, or create the table first.";
    301 UNKNOWN_COLUMN, "An unknown column",
        "None of the relations in FROM has a column of this name. Names keep their case.",
        "Use one of the columns that the hint lists.";
    302 UNKNOWN_FUNCTION, "An unknown function",
        "There is no function of this name.",
        "Use the function that the hint suggests.";
    303 WRONG_TYPE, "Types that do not go together",
        "A function or operator is given values of types that it has no meaning for.",
        "Convert one of them with CAST(x AS TYPE).";
    304 AMBIGUOUS_COLUMN, "A column name with several meanings",
        "More than one column of the input has the name.",
        "Write the relation's name or alias before it: `t.column`.";
    305 DUPLICATE_NAME, "A name that is taken",
        "A table, view or column of this name exists already.",
        "Choose another name, or write IF NOT EXISTS.";
    306 NOT_GROUPED, "A column that is neither grouped by nor aggregated",
        "A query with GROUP BY has one row a group, and the column can have many values in it.",
        "Add the column to GROUP BY, or put it into an aggregate such as MAX(column).";
    309 INVALID_QUERY, "A query without a meaning",
        "The words are in place, but together they do not make a query.",
        "See the message.";
    310 MISSING_CONNECTOR, "A table without a connector",
        "WITH must say where the table's rows are: the option 'connector' is missing.",
        "Write WITH ('connector' = 'kafka', …); `millstream connectors` lists them.";
    311 BAD_OPTION, "An option that does not exist or has no such value",
        "The connector or format does not know the option, needs another one, or cannot read its value.",
        "`millstream connectors NAME` lists the options of a connector.";
    312 UNKNOWN_METADATA, "Metadata that the connector does not have",
        "METADATA FROM 'key' must name something that the connector delivers beside the payload.",
        "Use one of the keys that the hint lists.";
    313 UNUSABLE_WATERMARK, "A watermark that cannot be one",
        "The column of WATERMARK FOR must be a TIMESTAMP(3) or TIMESTAMP_LTZ(3) of the table, and \
         its expression a time computed from the row.",
        "Write, for example, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND.";
    314 UNKNOWN_SETTING, "A setting that does not exist",
        "SET and --set accept Millstream's settings, and those of Flink that do not matter here.",
        "Correct the key.";
    315 BAD_SETTING, "A setting with a value that it cannot have",
        "The value is outside the setting's range or not of its kind.",
        "Use a value as the hint says.";
    320 COLUMN_COUNT, "An INSERT with another number of columns than the table",
        "Columns are assigned by position, so there must be as many.",
        "Select as many columns, or list the ones meant: INSERT INTO t (a, b) SELECT ….";
    321 COLUMN_TYPE, "An INSERT of a column into one of another type",
        "Only types that are converted without loss of meaning are converted silently, as in Flink.",
        "Say what is meant with CAST(x AS TYPE).";
    322 NOT_WRITABLE, "An INSERT into something that cannot be written",
        "Views, computed columns and virtual metadata columns have no place to write to.",
        "Write to a table, and leave such columns out.";
    330 WINDOW_ARGUMENTS, "A window function with wrong arguments",
        "TUMBLE takes a table, DESCRIPTOR(time) and a size; HOP a slide and a size; CUMULATE a step \
         and a size; each may have an offset.",
        "Write TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)).";
    331 NOT_EVENT_TIME, "A window over a column that is no time attribute",
        "Only the column of WATERMARK FOR, PROCTIME(), or what they become by plain selection, says how \
         far time has come.",
        "Declare WATERMARK FOR column in CREATE TABLE, and select the column unchanged.";
    332 PROCESSING_TIME, "Processing time where it cannot be",
        "PROCTIME() is the moment at which a row is looked at: it has no watermark, it can be a column of a \
         table as it is but not a part of a computed column, and its windows have no event time.",
        "Declare a column pt AS PROCTIME(), and compute with it in the query.";
    333 NO_WINDOW, "An aggregation that would never end",
        "Without both window_start and window_end in GROUP BY a group is open for ever, and its \
         result would have to be updated with every row. That is not supported yet.",
        "Read from a window function and write GROUP BY window_start, window_end, ….";
    334 CHANGELOG_INPUT, "A window over a changelog",
        "The input has updates and deletes; windows take inserts only.",
        "Use a format without row kinds, such as json.";
    335 NO_LATE_ROWS, "LATE of something without late rows",
        "LATE(view) reads the rows that came too late for the windows that the view aggregates.",
        "Name a view whose query is a windowed aggregation.";
    340 NOT_SUPPORTED, "A form of SQL that is not there yet",
        "Millstream reads it, but cannot run it in a stream yet.",
        "See the hint.";
    350 GUARANTEE, "A delivery guarantee that cannot be kept",
        "Exactly once needs epochs, a sink that can take part in them, and one system that commits: \
         two clusters cannot commit together, and two queries cannot write one directory.",
        "See the hint: mostly, write one table at least once, or make two jobs of the file.";
    400 BAD_HINT, "A hint that cannot be followed",
        "`/*+ OPTIONS(…) */` gives options to the table whose name it follows. Views have none, and \
         elsewhere there is nothing to give them to.",
        "Write it directly behind the table's name: FROM t /*+ OPTIONS('key' = 'value') */.";
    401 BAD_LIKE, "A LIKE that cannot be merged",
        "LIKE takes over the columns, keys, watermark and options of another table. What both declare \
         is an error unless the clause says which counts.",
        "Leave one of the two out, or write EXCLUDING or OVERWRITING behind LIKE: LIKE t \
         (OVERWRITING OPTIONS).";
    402 BAD_ACCESS, "Access to a part that is not there",
        "`a[1]` takes an element of an ARRAY, from 1 on; `m['key']` a value of a MAP; `r.name` a field \
         of a ROW.",
        "Use the access that fits the type; DESCRIBE shows types.";
    403 BAD_VALUES, "VALUES that make no table",
        "All rows of VALUES have the same number of columns, and every value can be computed.",
        "Correct the row.";
    404 BAD_UNNEST, "UNNEST of something that has no elements",
        "UNNEST makes rows of the elements of one ARRAY or MAP. As a join it has no condition but TRUE.",
        "Write FROM t CROSS JOIN UNNEST(t.items) AS i (item), or LEFT JOIN UNNEST(…) AS … ON TRUE.";
    420 GROUP_WINDOW, "A group window that does not fit",
        "GROUP BY TUMBLE(ts, size) and HOP(ts, slide, size) take a time column and intervals; a query groups \
         by one of them, and TUMBLE_START(…) and its like have the same arguments.",
        "Write, for example, SELECT TUMBLE_END(ts, INTERVAL '1' MINUTE), COUNT(*) FROM t GROUP BY \
         TUMBLE(ts, INTERVAL '1' MINUTE).";
    421 GROUPING, "Grouping sets that cannot be",
        "GROUPING and GROUPING_ID take keys of GROUP BY, and a query has at most 64 grouping sets.",
        "See the message.";
    440 BAD_EMIT, "An EMIT that cannot be understood",
        "EMIT says when the results of a windowed aggregation leave: ON WINDOW CLOSE, ON UPDATE or \
         EVERY interval; ALLOW LATENESS interval says how long they are corrected.",
        "Write EMIT EVERY INTERVAL '5' SECOND ALLOW LATENESS INTERVAL '1' MINUTE, or a part of it.";
    441 EMIT_WITHOUT_WINDOW, "EMIT without a windowed aggregation",
        "Only the results of GROUP BY window_start, window_end can leave early or be corrected.",
        "Put the clause behind the query that aggregates, for example into its view.";
    443 BAD_ALIGNMENT, "An alignment of watermarks that lacks something",
        "'scan.watermark.alignment.group' and 'scan.watermark.alignment.max-drift' belong together, \
         and the table needs a WATERMARK.",
        "Give both options, or none.";
    460 BAD_CONSTANT, "A constant that its function cannot read",
        "A regular expression, a path into JSON, a pattern of time or a charset is not one.",
        "See the message; `millstream functions NAME` has an example.";
    461 CAST_REFUSED, "A cast that Flink SQL does not have",
        "There is no one conversion between numbers and times: it could count seconds or milliseconds, in any zone.",
        "Use the function that the hint shows.";
    480 BAD_PARTITION, "PARTITIONED BY a column that cannot be one",
        "The values of partition columns stand in the names of directories, so they are columns of \
         the table that have a type of their own; computed and metadata columns are not written.",
        "Name columns that are declared with a type.";
    481 UNREPEATABLE, "A promise that standard input cannot keep",
        "What was read from a pipe cannot be read again after a failure, so its results cannot be \
         committed in epochs; and it can be read once only.",
        "SET 'execution.checkpointing.interval' = '0' to write without epochs, or read from files \
         or Kafka.";
    510 HOP_SLIDE_AND_SIZE_SWAPPED, "HOP's slide and size are swapped",
        "HOP takes the slide first and the size second, and the slide is the longer of the two here.",
        "Swap them: HOP(TABLE t, DESCRIPTOR(ts), slide, size).";
    512 WINDOW_COLUMN_MISSING_IN_GROUP_BY, "One of the window's columns is missing in GROUP BY",
        "A window is one only with both its ends: grouped by one of them alone, a group would be open for ever.",
        "Write GROUP BY window_start, window_end, ….";
    513 SINK_WITHOUT_KEY_FOR_CHANGELOG, "Updates and deletes into a table that has no place for them",
        "The query's rows are a changelog, and the format of the table writes plain rows: what was deleted would stand \
         there as if it had been added.",
        "Write to a table with 'format' = 'changelog-json', or to the connector 'print'.";
}
