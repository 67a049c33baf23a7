package millstream;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Arrays;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * Writes a flat row as JSON, the same bytes as Flink's JSON format, without a tree of nodes in between. Not plain are
 * NaN and infinity, text with an escape or beyond ASCII, a year that has not four digits.
 */
class PlainJsonWriter implements PlainWriter {

    private static final byte[] NULL = {'n', 'u', 'l', 'l'};
    private static final byte[] TRUE = {'t', 'r', 'u', 'e'};
    private static final byte[] FALSE = {'f', 'a', 'l', 's', 'e'};
    private static final int LONGEST_TIME = 40; // bytes

    private final byte[][] names; // what stands before each value
    private final int[] types;
    private final int[] precisions; // of timestamps
    private final char separator; // of date and time

    private transient byte[] buffer;
    private transient int length;

    private PlainJsonWriter(RowType row, char separator) {
        int arity = row.getFieldCount();
        this.names = new byte[arity][];
        this.types = new int[arity];
        this.precisions = new int[arity];
        this.separator = separator;
        for (int i = 0; i < arity; i++) {
            String name = (String) row.getFieldNames().get(i);
            names[i] = ((i == 0 ? "{\"" : ",\"") + name + "\":").getBytes(StandardCharsets.UTF_8);
            types[i] = PlainType.of(row.getTypeAt(i));
            precisions[i] = types[i] >= PlainType.TIMESTAMP ? LogicalTypeChecks.getPrecision(row.getTypeAt(i)) : 0;
        }
    }

    /** Return what writes rows of a type, null where a column is of another type than numbers, text, truth and time. */
    static PlainJsonWriter of(RowType row, TimestampFormat timestamps) {
        if (row.getFieldCount() == 0 || (timestamps != TimestampFormat.SQL && timestamps != TimestampFormat.ISO_8601)) {
            return null;
        }
        for (int i = 0; i < row.getFieldCount(); i++) {
            String name = (String) row.getFieldNames().get(i);
            if (PlainType.of(row.getTypeAt(i)) == PlainType.NONE || !isWrittenAsItIs(name.getBytes(StandardCharsets.UTF_8))) {
                return null;
            }
        }
        return new PlainJsonWriter(row, timestamps == TimestampFormat.SQL ? ' ' : 'T');
    }

    public byte[] write(RowData row) {
        if (buffer == null) {
            buffer = new byte[256];
        }
        length = 0;
        for (int i = 0; i < names.length; i++) {
            put(names[i]);
            if (row.isNullAt(i)) {
                put(NULL);
            } else if (!putValue(row, i)) {
                return null;
            }
        }
        buffer[length++] = '}';
        return Arrays.copyOf(buffer, length);
    }

    private boolean putValue(RowData row, int column) {
        switch (types[column]) {
            case PlainType.TRUTH:
                put(row.getBoolean(column) ? TRUE : FALSE);
                return true;
            case PlainType.TINYINT:
                put(Integer.toString(row.getByte(column)));
                return true;
            case PlainType.SMALLINT:
                put(Integer.toString(row.getShort(column)));
                return true;
            case PlainType.INTEGER:
                put(Integer.toString(row.getInt(column)));
                return true;
            case PlainType.BIGINT:
                put(Long.toString(row.getLong(column)));
                return true;
            case PlainType.FLOAT:
                float single = row.getFloat(column);
                return !Float.isNaN(single) && !Float.isInfinite(single) && put(Float.toString(single));
            case PlainType.DOUBLE:
                double number = row.getDouble(column);
                return !Double.isNaN(number) && !Double.isInfinite(number) && put(Double.toString(number));
            case PlainType.TIMESTAMP:
                return putTime(row.getTimestamp(column, precisions[column]), false);
            case PlainType.TIMESTAMP_LTZ:
                return putTime(row.getTimestamp(column, precisions[column]), true);
            default:
                return putText(row.getString(column).toBytes());
        }
    }

    private boolean putText(byte[] text) {
        if (!isWrittenAsItIs(text)) {
            return false;
        }
        reserve(text.length + 2);
        buffer[length++] = '"';
        System.arraycopy(text, 0, buffer, length, text.length);
        length += text.length;
        buffer[length++] = '"';
        return true;
    }

    /** Return whether text in UTF-8 is ASCII without escapes: other bytes may be no UTF-8, which Flink mends. */
    private static boolean isWrittenAsItIs(byte[] text) {
        for (int i = 0; i < text.length; i++) {
            if (text[i] < ' ' || text[i] == '"' || text[i] == '\\') {
                return false;
            }
        }
        return true;
    }

    private boolean putTime(TimestampData timestamp, boolean inUtc) {
        long milliseconds = timestamp.getMillisecond();
        long second = Math.floorDiv(milliseconds, 1000L);
        LocalDate day = LocalDate.ofEpochDay(Math.floorDiv(second, 86400L));
        if (day.getYear() < 0 || day.getYear() > 9999) {
            return false;
        }
        reserve(LONGEST_TIME);
        buffer[length++] = '"';
        putDigits(day.getYear(), 4);
        buffer[length++] = '-';
        putDigits(day.getMonthValue(), 2);
        buffer[length++] = '-';
        putDigits(day.getDayOfMonth(), 2);
        buffer[length++] = (byte) separator;
        int ofDay = (int) Math.floorMod(second, 86400L);
        putDigits(ofDay / 3600, 2);
        buffer[length++] = ':';
        putDigits(ofDay / 60 % 60, 2);
        buffer[length++] = ':';
        putDigits(ofDay % 60, 2);
        int nanoseconds = (int) Math.floorMod(milliseconds, 1000L) * 1000000 + timestamp.getNanoOfMillisecond();
        if (nanoseconds != 0) {
            int digits = 9;
            while (nanoseconds % 10 == 0) {
                nanoseconds /= 10;
                digits--;
            }
            buffer[length++] = '.';
            putDigits(nanoseconds, digits);
        }
        if (inUtc) {
            buffer[length++] = 'Z';
        }
        buffer[length++] = '"';
        return true;
    }

    private void putDigits(int value, int digits) {
        int rest = value;
        for (int i = length + digits - 1; i >= length; i--) {
            buffer[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
    }

    private boolean put(String ascii) {
        int end = ascii.length();
        reserve(end);
        ascii.getBytes(0, end, buffer, length);
        length += end;
        return true;
    }

    private void put(byte[] bytes) {
        reserve(bytes.length);
        System.arraycopy(bytes, 0, buffer, length, bytes.length);
        length += bytes.length;
    }

    private void reserve(int more) {
        if (length + more + 1 > buffer.length) { // one for the last brace
            buffer = Arrays.copyOf(buffer, 2 * (length + more + 1));
        }
    }
}
