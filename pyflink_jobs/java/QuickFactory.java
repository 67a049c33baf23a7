package millstream;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.format.EncodingFormat;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.SerializationFormatFactory;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Makes a format of Flink's with its options: the same rows and bytes, in less time. */
public abstract class QuickFactory implements DeserializationFormatFactory, SerializationFormatFactory {

    /** Return the name of Flink's format; ours has "quick-" before it. */
    abstract String flinks();

    /** Return what reads plain records, null where none are. */
    abstract PlainReader reader(RowType row, ReadableConfig options);

    /** Return what writes plain rows, null where none are. */
    abstract PlainWriter writer(RowType row, ReadableConfig options);

    public String factoryIdentifier() {
        return "quick-" + flinks();
    }

    /** Return Flink's factory of what reads. */
    DeserializationFormatFactory reading(DynamicTableFactory.Context context) {
        Class kind = DeserializationFormatFactory.class;
        return (DeserializationFormatFactory) FactoryUtil.discoverFactory(context.getClassLoader(), kind, flinks());
    }

    public DecodingFormat createDecodingFormat(DynamicTableFactory.Context context, ReadableConfig given) {
        final ReadableConfig options = given;
        final DecodingFormat format = reading(context).createDecodingFormat(context, options);
        return new DecodingFormat() {

            public ChangelogMode getChangelogMode() {
                return format.getChangelogMode();
            }

            public Object createRuntimeDecoder(DynamicTableSource.Context context, DataType columns) {
                RowType row = (RowType) columns.getLogicalType();
                DeserializationSchema schema = (DeserializationSchema) format.createRuntimeDecoder(context, columns);
                PlainReader plain = reader(row, options);
                return plain == null ? schema : new QuickReader(schema, plain, row.getFieldCount());
            }
        };
    }

    public EncodingFormat createEncodingFormat(DynamicTableFactory.Context context, ReadableConfig given) {
        final ReadableConfig options = given;
        Class kind = SerializationFormatFactory.class;
        SerializationFormatFactory factory = (SerializationFormatFactory)
                FactoryUtil.discoverFactory(context.getClassLoader(), kind, flinks());
        final EncodingFormat format = factory.createEncodingFormat(context, options);
        return new EncodingFormat() {

            public ChangelogMode getChangelogMode() {
                return format.getChangelogMode();
            }

            public Object createRuntimeEncoder(DynamicTableSink.Context context, DataType columns) {
                SerializationSchema schema = (SerializationSchema) format.createRuntimeEncoder(context, columns);
                PlainWriter plain = writer((RowType) columns.getLogicalType(), options);
                return plain == null ? schema : new QuickWriter(schema, plain);
            }
        };
    }
}
