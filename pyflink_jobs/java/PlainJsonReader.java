package millstream;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * Reads most records straight from their bytes: a flat object of plain numbers, plain text, timestamps, true, false and
 * null. Whatever else a record has (escapes, numbers as text, nested values, a name twice, mistakes) is left to a parser:
 * what this class reads, Flink's JSON format reads to the same row.
 */
class PlainJsonReader implements Serializable {

    private static final Set<LogicalTypeRoot> KNOWN = EnumSet.of(
            LogicalTypeRoot.BOOLEAN,
            LogicalTypeRoot.TINYINT,
            LogicalTypeRoot.SMALLINT,
            LogicalTypeRoot.INTEGER,
            LogicalTypeRoot.BIGINT,
            LogicalTypeRoot.FLOAT,
            LogicalTypeRoot.DOUBLE,
            LogicalTypeRoot.VARCHAR,
            LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE,
            LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE);

    private final byte[][] names; // in quotes
    private final LogicalTypeRoot[] types;
    private final boolean complete;
    private final char separator; // of date and time
    private final boolean readable;

    private transient PlainNumber number;
    private transient long[] seen; // in which record a column was seen last
    private transient long count; // of records

    /** `complete` is whether each column must be there. */
    PlainJsonReader(RowType row, boolean complete, TimestampFormat timestamps) {
        int arity = row.getFieldCount();
        this.names = new byte[arity][];
        this.types = new LogicalTypeRoot[arity];
        this.complete = complete;
        this.separator = timestamps == TimestampFormat.SQL ? ' ' : 'T';
        boolean readable = true;
        for (int i = 0; i < arity; i++) {
            String name = row.getFieldNames().get(i);
            names[i] = ("\"" + name + "\"").getBytes(StandardCharsets.UTF_8);
            types[i] = row.getTypeAt(i).getTypeRoot();
            readable &= KNOWN.contains(types[i]) && name.indexOf('"') < 0 && name.indexOf('\\') < 0;
        }
        this.readable = readable;
    }

    /** Fill a row with a record's columns; false if it is not plain, and the row is of no use then. */
    boolean read(byte[] record, GenericRowData row) {
        if (!readable || Encoding.problem(record) != null) {
            return false;
        }
        if (number == null) {
            number = new PlainNumber();
            seen = new long[names.length];
        }
        count++;
        try {
            return fill(record, row);
        } catch (ArrayIndexOutOfBoundsException cutOff) {
            return false;
        }
    }

    private boolean fill(byte[] record, GenericRowData row) {
        int at = blanks(record, 0);
        if (record[at] != '{') {
            return false;
        }
        int found = 0;
        int next = 0; // a record's fields are mostly in the order of the columns
        at = blanks(record, at + 1);
        while (true) {
            int end = endOfText(record, at);
            if (end < 0) {
                return false;
            }
            int column = column(record, at, end, next);
            at = blanks(record, end);
            if (record[at] != ':') {
                return false;
            }
            at = blanks(record, at + 1);
            if (column < 0) {
                at = skip(record, at);
            } else {
                if (seen[column] == count) {
                    return false;
                }
                seen[column] = count;
                found++;
                next = column + 1;
                at = value(record, at, column, row);
            }
            if (at < 0) {
                return false;
            }
            at = blanks(record, at);
            if (record[at] == '}') {
                break;
            }
            if (record[at] != ',') {
                return false;
            }
            at = blanks(record, at + 1);
        }
        return (!complete || found == names.length) && onlyBlanks(record, at + 1);
    }

    /** Return which column a name is, -1 for none; `at` is the offset of its first quote, `end` the one after its second. */
    private int column(byte[] record, int at, int end, int next) {
        for (int i = next; i < names.length; i++) {
            if (is(names[i], record, at, end)) {
                return i;
            }
        }
        for (int i = 0; i < next; i++) {
            if (is(names[i], record, at, end)) {
                return i;
            }
        }
        return -1;
    }

    private static boolean is(byte[] name, byte[] record, int at, int end) {
        return Arrays.equals(name, 0, name.length, record, at, end);
    }

    /** Read a value into its column; return the offset after it, -1 if it is not plain. */
    private int value(byte[] record, int at, int column, GenericRowData row) {
        if (record[at] == 'n') {
            return literal(record, at);
        }
        LogicalTypeRoot type = types[column];
        int end =
                switch (type) {
                    case BOOLEAN -> record[at] == 't' || record[at] == 'f' ? literal(record, at) : -1;
                    case VARCHAR, TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> endOfText(record, at);
                    default -> number.read(record, at);
                };
        if (end < 0) {
            return -1;
        }
        Object read =
                switch (type) {
                    case BOOLEAN -> record[at] == 't';
                    case VARCHAR -> StringData.fromBytes(record, at + 1, end - at - 2);
                    case TIMESTAMP_WITHOUT_TIME_ZONE -> PlainTime.read(record, at + 1, end - 1, separator, false);
                    case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> PlainTime.read(record, at + 1, end - 1, separator, true);
                    case FLOAT -> number.asFloat();
                    case DOUBLE -> number.asDouble();
                    default -> number.asInteger(type);
                };
        row.setField(column, read);
        return read == null ? -1 : end;
    }

    /** Return the offset after a value that is in no column, -1 if it is nested or not plain. */
    private int skip(byte[] record, int at) {
        byte first = record[at];
        if (first == '"') {
            return endOfText(record, at);
        }
        return first == '-' || (first >= '0' && first <= '9') ? number.read(record, at) : literal(record, at);
    }

    /** Return the offset after true, false or null, -1 if none of them is there. */
    private static int literal(byte[] record, int at) {
        return switch (record[at]) {
            case 't' -> literal(record, at, 'r', 'u', 'e');
            case 'n' -> literal(record, at, 'u', 'l', 'l');
            case 'f' -> record[at + 1] == 'a' ? literal(record, at + 1, 'l', 's', 'e') : -1;
            default -> -1;
        };
    }

    private static int literal(byte[] record, int at, char second, char third, char fourth) {
        boolean there = record[at + 1] == second && record[at + 2] == third && record[at + 3] == fourth;
        return there ? at + 4 : -1;
    }

    /** Return the offset after a text's second quote, -1 if it has an escape or a control character. */
    private static int endOfText(byte[] record, int at) {
        if (record[at] != '"') {
            return -1;
        }
        int end = at + 1;
        byte letter = record[end];
        while (letter != '"') {
            if (letter == '\\' || (letter >= 0 && letter < ' ')) {
                return -1;
            }
            end++;
            letter = record[end];
        }
        return end + 1;
    }

    private static int blanks(byte[] record, int at) {
        int end = at;
        while (record[end] == ' ' || record[end] == '\n' || record[end] == '\r' || record[end] == '\t') {
            end++;
        }
        return end;
    }

    private static boolean onlyBlanks(byte[] record, int at) {
        for (int i = at; i < record.length; i++) {
            if (record[i] != ' ' && record[i] != '\n' && record[i] != '\r' && record[i] != '\t') {
                return false;
            }
        }
        return true;
    }
}
