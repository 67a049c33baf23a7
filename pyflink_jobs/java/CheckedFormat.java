package millstream;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.utils.DataTypeUtils;

/** The metadata columns that a checked format has beside those of the record: `error`, and the record's bytes. */
abstract class CheckedFormat implements DecodingFormat {

    private List metadata = new ArrayList();

    /** Return what reads records of these columns; `type` is that of the columns and the `metadata` behind them. */
    abstract CheckedReader reader(
            DynamicTableSource.Context context, DataType columns, TypeInformation type, String[] metadata);

    public ChangelogMode getChangelogMode() {
        return ChangelogMode.insertOnly();
    }

    public Map listReadableMetadata() {
        Map known = new LinkedHashMap();
        known.put("error", DataTypes.STRING());
        known.put("record", DataTypes.BYTES());
        return known;
    }

    public void applyReadableMetadata(List keys) {
        this.metadata = keys;
    }

    public Object createRuntimeDecoder(DynamicTableSource.Context context, DataType columns) {
        List fields = new ArrayList();
        for (int i = 0; i < metadata.size(); i++) {
            String key = (String) metadata.get(i);
            fields.add(DataTypes.FIELD("_" + key, (DataType) listReadableMetadata().get(key)));
        }
        DataType produced = DataTypeUtils.appendRowFields(columns, fields);
        TypeInformation type = context.createTypeInformation(produced);
        return reader(context, columns, type, (String[]) metadata.toArray(new String[0]));
    }
}
