package millstream;

import java.lang.reflect.Method;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonParserToRowDataConverters;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** The converters of Flink's JSON format, one for each column of a row. */
class ColumnConverters {

    static JsonParserToRowDataConverters.JsonParserToRowDataConverter[] of(RowType row, TimestampFormat timestamps) {
        JsonParserToRowDataConverters all = new JsonParserToRowDataConverters(false, false, timestamps);
        JsonParserToRowDataConverters.JsonParserToRowDataConverter[] made =
                new JsonParserToRowDataConverters.JsonParserToRowDataConverter[row.getFieldCount()];
        try {
            // Flink makes them for whole rows in public. Those pass over columns when a name comes twice.
            Class[] arguments = {LogicalType.class};
            Method create = JsonParserToRowDataConverters.class.getDeclaredMethod("createConverter", arguments);
            create.setAccessible(true);
            for (int i = 0; i < made.length; i++) {
                Object[] type = {row.getTypeAt(i)};
                made[i] = (JsonParserToRowDataConverters.JsonParserToRowDataConverter) create.invoke(all, type);
            }
        } catch (Exception changed) {
            throw new IllegalStateException("Flink's JSON converters are not those of version 2.3", changed);
        }
        return made;
    }
}
