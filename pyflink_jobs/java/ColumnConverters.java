package millstream;

import java.lang.reflect.Method;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonParserToRowDataConverters;
import org.apache.flink.formats.json.JsonParserToRowDataConverters.JsonParserToRowDataConverter;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** The converters of Flink's JSON format, one for each column of a row. */
class ColumnConverters {

    static JsonParserToRowDataConverter[] of(RowType row, TimestampFormat timestamps) {
        JsonParserToRowDataConverters all = new JsonParserToRowDataConverters(false, false, timestamps);
        JsonParserToRowDataConverter[] made = new JsonParserToRowDataConverter[row.getFieldCount()];
        try {
            // In public, Flink makes them for whole rows. Those pass over columns when a name comes twice.
            Method create = JsonParserToRowDataConverters.class.getDeclaredMethod("createConverter", LogicalType.class);
            create.setAccessible(true);
            for (int i = 0; i < made.length; i++) {
                made[i] = (JsonParserToRowDataConverter) create.invoke(all, row.getTypeAt(i));
            }
        } catch (ReflectiveOperationException changed) {
            throw new IllegalStateException("Flink's JSON converters are not those of version 2.3", changed);
        }
        return made;
    }
}
