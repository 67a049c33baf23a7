package millstream;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.formats.common.TimestampFormat;

/** Says in which form a time is written that a column of type TIMESTAMP does not accept, and what does. */
class TimeForm {

    private static final Pattern TEXT =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\d([T ])\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d(:?\\d\\d)?)?");
    private static final Pattern NUMBER = Pattern.compile("-?\\d{9,19}");
    /** Digits of a number from 1973 on: of seconds at most 10, of milliseconds at most 13, and so on. */
    private static final String[][] UNITS = {
        {"seconds", "TO_TIMESTAMP_LTZ(%s, 0)"},
        {"milliseconds", "TO_TIMESTAMP_LTZ(%s, 3)"},
        {"microseconds", "TO_TIMESTAMP_LTZ(%s / 1000, 3)"},
        {"nanoseconds", "TO_TIMESTAMP_LTZ(%s / 1000000, 3)"},
    };

    /** Return words to follow what was found, "" where the value is not a time or the column has no times. */
    static String hint(String value, String column, String type, TimestampFormat configured) {
        if (!type.startsWith("TIMESTAMP")) {
            return "";
        }
        if (NUMBER.matcher(value).matches()) {
            int digits = value.length() - (value.startsWith("-") ? 1 : 0);
            String[] unit = UNITS[Math.min((Math.max(digits, 10) - 8) / 3, UNITS.length - 1)];
            return "; it is a number of " + unit[0] + ": declare `" + column + "` BIGINT, and compute "
                    + String.format(unit[1], "`" + column + "`");
        }
        Matcher text = TEXT.matcher(value);
        return text.matches() ? "; " + ofText(text, column, type.contains("LTZ"), configured) : "";
    }

    private static String ofText(Matcher text, String column, boolean hasZone, TimestampFormat configured) {
        boolean isIso = text.group(1).equals("T");
        String zone = text.group(4);
        if (zone != null && !zone.equals("Z")) {
            String pattern = (isIso ? "yyyy-MM-dd''T''HH:mm" : "yyyy-MM-dd HH:mm")
                    + (text.group(2) == null ? "" : ":ss")
                    + (zone.length() == 3 ? "X" : zone.contains(":") ? "XXX" : "XX");
            String whole = "`" + column + "`"; // Java's patterns have no fraction beyond milliseconds
            whole = text.group(3) == null ? whole : "REGEXP_REPLACE(" + whole + ", '[.][0-9]+', '')";
            return "it has the offset " + zone + ": declare `" + column + "` STRING, and compute "
                    + "TO_TIMESTAMP_LTZ(UNIX_TIMESTAMP(" + whole + ", '" + pattern + "'), 0)";
        }
        String declared = "";
        if (zone != null && !hasZone) {
            declared = "it has a Z, for UTC: declare `" + column + "` TIMESTAMP_LTZ(3)";
        } else if (zone == null && hasZone) {
            declared = "it has no Z: declare `" + column + "` TIMESTAMP(3)";
        }
        String written = "";
        if (isIso != (configured == TimestampFormat.ISO_8601)) {
            written = "it is written as " + (isIso ? "ISO-8601" : "SQL") + ": add 'json.timestamp-format.standard' = '"
                    + (isIso ? "ISO-8601" : "SQL") + "'";
        }
        return declared.isEmpty() || written.isEmpty() ? declared + written : declared + "; " + written;
    }
}
