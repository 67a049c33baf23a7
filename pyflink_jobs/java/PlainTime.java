package millstream;

import java.time.DateTimeException;
import java.time.LocalDate;
import org.apache.flink.table.data.TimestampData;

/** Reads a date and a time of day as Flink's JSON format writes them: 2013-04-01 05:15:00.25, in UTC with a Z. */
class PlainTime {

    private static final int WITHOUT_FRACTION = 19; // letters
    private static final int MOST_DIGITS = 9; // of a second's fraction

    /** Return the time between two offsets of text in ASCII, null if there is none or it is written otherwise. */
    static TimestampData read(byte[] text, int start, int end, char separator, boolean inUtc) {
        int last = inUtc ? end - 1 : end;
        int length = last - start;
        if (length < WITHOUT_FRACTION || (inUtc && text[last] != 'Z') || !isPunctuated(text, start, separator)) {
            return null;
        }
        int year = digits(text, start, start + 4);
        int month = digits(text, start + 5, start + 7);
        int day = digits(text, start + 8, start + 10);
        int hour = digits(text, start + 11, start + 13);
        int minute = digits(text, start + 14, start + 16);
        int second = digits(text, start + 17, start + 19);
        int nanosecond = 0;
        if (length > WITHOUT_FRACTION) {
            int fraction = start + WITHOUT_FRACTION + 1;
            int count = last - fraction;
            if (text[fraction - 1] != '.' || count == 0 || count > MOST_DIGITS) {
                return null;
            }
            nanosecond = digits(text, fraction, last);
            for (int i = count; i < MOST_DIGITS && nanosecond > 0; i++) {
                nanosecond *= 10;
            }
        }
        if ((year | month | day | hour | minute | second | nanosecond) < 0 || hour > 23 || minute > 59 || second > 59) {
            return null;
        }
        try {
            long seconds = LocalDate.of(year, month, day).toEpochDay() * 86400L + (hour * 60 + minute) * 60 + second;
            return TimestampData.fromEpochMillis(seconds * 1000 + nanosecond / 1000000, nanosecond % 1000000);
        } catch (DateTimeException noSuchDay) {
            return null;
        }
    }

    private static boolean isPunctuated(byte[] text, int start, char separator) {
        return text[start + 4] == '-'
                && text[start + 7] == '-'
                && text[start + 10] == separator
                && text[start + 13] == ':'
                && text[start + 16] == ':';
    }

    /** Return a number, -1 if there is something else than digits. */
    private static int digits(byte[] text, int start, int end) {
        int value = 0;
        for (int i = start; i < end; i++) {
            if (text[i] < '0' || text[i] > '9') {
                return -1;
            }
            value = value * 10 + (text[i] - '0');
        }
        return value;
    }
}
