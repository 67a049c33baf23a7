package millstream;

import org.apache.flink.table.types.logical.RowType;

/**
 * What rows are plain in Avro's binary encoding, as Flink's Avro format has it: columns in their order, integers as
 * zigzag varints, floats and doubles little-endian, text and its length in UTF-8. A column that may be NULL is a union
 * of null and its type (https://avro.apache.org/docs/1.11.1/specification/#binary-encoding).
 */
class PlainAvro {

    static final int NULL = 0; // the branches of a union
    static final int VALUE = 1;

    static boolean isPlain(RowType row) {
        for (int i = 0; i < row.getFieldCount(); i++) {
            int type = PlainType.of(row.getTypeAt(i));
            if (type == PlainType.NONE || type > PlainType.TEXT) {
                return false;
            }
        }
        return true;
    }

    static int[] types(RowType row) {
        int[] types = new int[row.getFieldCount()];
        for (int i = 0; i < types.length; i++) {
            types[i] = PlainType.of(row.getTypeAt(i));
        }
        return types;
    }

    static boolean[] nullable(RowType row) {
        boolean[] nullable = new boolean[row.getFieldCount()];
        for (int i = 0; i < nullable.length; i++) {
            nullable[i] = row.getTypeAt(i).isNullable();
        }
        return nullable;
    }
}
