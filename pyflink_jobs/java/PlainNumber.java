package millstream;

import java.nio.charset.StandardCharsets;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * A number as JSON writes it (RFC 8259, section 6), read without a parser.
 *
 * A double is made from the digits as Clinger's fast path does ("How to read floating point numbers accurately", 1990):
 * up to 2^53 and a power of ten up to 10^22 are exact, so one operation rounds once. Java's parser reads all others.
 */
class PlainNumber {

    private static final int MOST_DIGITS = 18; // of a long
    private static final long EXACT = 1L << 53;
    private static final double[] POWERS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };
    private static final int MOST_POWER = 9999; // a larger one is as good as that
    private static final double SMALLEST_NORMAL = 1.17549435e-38; // of floats
    private static final long LOST = (1L << 29) - 1; // the bits of a double that a float lacks
    private static final long HALF = 1L << 28; // and how they look halfway between two floats

    private byte[] record;
    private int start;
    private int end;
    private boolean negative;
    private long digits; // of no use where there are too many
    private int exponent;
    private boolean integer; // without a fraction and an exponent, and not too long
    private boolean exact; // digits and power of ten are doubles without error

    /** Read the number at an offset; return the offset after it, -1 if none is there. */
    int read(byte[] record, int at) {
        int i = at;
        boolean negative = record[i] == '-';
        if (negative) {
            i++;
        }
        int first = i;
        long digits = 0;
        byte letter = record[i];
        while (letter >= '0' && letter <= '9') {
            digits = digits * 10 + (letter - '0');
            letter = record[++i];
        }
        int count = i - first;
        if (count == 0 || (count > 1 && record[first] == '0')) {
            return -1;
        }
        int exponent = 0;
        boolean integer = letter != '.' && letter != 'e' && letter != 'E';
        if (letter == '.') {
            int point = ++i;
            letter = record[i];
            while (letter >= '0' && letter <= '9') {
                digits = digits * 10 + (letter - '0');
                letter = record[++i];
            }
            exponent = point - i;
            count -= exponent;
            if (exponent == 0) {
                return -1;
            }
        }
        if (letter == 'e' || letter == 'E') {
            letter = record[++i];
            boolean small = letter == '-';
            if (small || letter == '+') {
                letter = record[++i];
            }
            int power = i;
            int written = 0;
            while (letter >= '0' && letter <= '9') {
                written = Math.min(written * 10 + (letter - '0'), MOST_POWER);
                letter = record[++i];
            }
            if (i == power) {
                return -1;
            }
            exponent += small ? -written : written;
        }
        this.record = record;
        this.start = at;
        this.end = i;
        this.negative = negative;
        this.digits = digits;
        this.exponent = exponent;
        this.exact = count <= MOST_DIGITS && digits <= EXACT && Math.abs(exponent) < POWERS.length;
        this.integer = integer && count <= MOST_DIGITS;
        return i;
    }

    /** Return the number as a column of an integer type has it, null where it does not fit. */
    Object asInteger(LogicalTypeRoot type) {
        if (!integer) {
            return null;
        }
        long value = negative ? -digits : digits;
        return switch (type) {
            case BIGINT -> (Object) value;
            case INTEGER -> value == (int) value ? (Object) (int) value : null;
            case SMALLINT -> value == (short) value ? (Object) (short) value : null;
            default -> value == (byte) value ? (Object) (byte) value : null;
        };
    }

    /** Return the number as Double.parseDouble does, null where that is infinite. */
    Double asDouble() {
        double value = exact ? fast() : Double.parseDouble(text());
        return Double.isInfinite(value) ? null : Double.valueOf(value);
    }

    /** Return the number as Float.parseFloat does, null where that is infinite. */
    Float asFloat() {
        double value = exact ? fast() : Double.NaN;
        // Rounded to a double first, a number may look halfway between two floats though it is not.
        boolean once = value == 0
                || (Math.abs(value) >= SMALLEST_NORMAL && (Double.doubleToRawLongBits(value) & LOST) != HALF);
        float rounded = once ? (float) value : Float.parseFloat(text());
        return Float.isInfinite(rounded) ? null : Float.valueOf(rounded);
    }

    private double fast() {
        double value = exponent < 0 ? digits / POWERS[-exponent] : digits * POWERS[exponent];
        return negative ? -value : value;
    }

    private String text() {
        return new String(record, start, end - start, StandardCharsets.ISO_8859_1);
    }
}
