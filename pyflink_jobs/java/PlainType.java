package millstream;

import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/** The types of columns that are read and written without a parser, as numbers to switch by. */
class PlainType {

    static final int NONE = 0;
    static final int TRUTH = 1;
    static final int TINYINT = 2;
    static final int SMALLINT = 3;
    static final int INTEGER = 4;
    static final int BIGINT = 5;
    static final int FLOAT = 6;
    static final int DOUBLE = 7;
    static final int TEXT = 8;
    static final int TIMESTAMP = 9;
    static final int TIMESTAMP_LTZ = 10;

    private static final LogicalTypeRoot[] ROOTS = {
        null,
        LogicalTypeRoot.BOOLEAN,
        LogicalTypeRoot.TINYINT,
        LogicalTypeRoot.SMALLINT,
        LogicalTypeRoot.INTEGER,
        LogicalTypeRoot.BIGINT,
        LogicalTypeRoot.FLOAT,
        LogicalTypeRoot.DOUBLE,
        LogicalTypeRoot.VARCHAR,
        LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE,
        LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE
    };

    static int of(LogicalType type) {
        for (int i = 1; i < ROOTS.length; i++) {
            if (ROOTS[i] == type.getTypeRoot()) {
                return i;
            }
        }
        return NONE;
    }

    /** Return an integer as a column of that type has it, null where it does not fit. */
    static Object integer(int type, long value) {
        switch (type) {
            case BIGINT:
                return Long.valueOf(value);
            case INTEGER:
                return value == (int) value ? Integer.valueOf((int) value) : null;
            case SMALLINT:
                return value == (short) value ? Short.valueOf((short) value) : null;
            default:
                return value == (byte) value ? Byte.valueOf((byte) value) : null;
        }
    }
}
