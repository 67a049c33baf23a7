package millstream;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.Properties;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/**
 * Flink's source of Kafka, which goes on at the oldest record that is left where a topic no longer has its next one.
 *
 * <p>Flink goes on there at whatever end its start is at: a source that starts with the latest record skips all that
 * were written while the job was down. Where a job starts is as it was; only `auto.offset.reset` is another, which
 * Flink's builder sets without asking.
 */
class ResumingSource
        implements Source<RowData, KafkaPartitionSplit, KafkaSourceEnumState>, ResultTypeQueryable<RowData> {

    private final KafkaSource<RowData> flinks;
    private final Properties client;

    /** `atCommitted` is whether it starts at the offsets that its group has committed. */
    ResumingSource(KafkaSource<RowData> flinks, boolean atCommitted) {
        this.flinks = flinks;
        try {
            client = (Properties) field("props").get(flinks);
            if (atCommitted) {
                Field start = field("startingOffsetsInitializer");
                start.set(flinks, new CommittedStart((OffsetsInitializer) start.get(flinks)));
            }
            client.setProperty("auto.offset.reset", "earliest");
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException("the Kafka connector is not of a version that is known: 5.0", problem);
        }
    }

    private static Field field(String name) throws NoSuchFieldException {
        Field field = KafkaSource.class.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    @Override
    public SourceReader<RowData, KafkaPartitionSplit> createReader(SourceReaderContext context) throws Exception {
        return new ResumingReader(flinks.createReader(context), client, context.metricGroup());
    }

    @Override
    public Boundedness getBoundedness() {
        return flinks.getBoundedness();
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context) {
        return flinks.createEnumerator(context);
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState checkpoint) throws IOException {
        return flinks.restoreEnumerator(context, checkpoint);
    }

    @Override
    public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
        return flinks.getSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
        return flinks.getEnumeratorCheckpointSerializer();
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return flinks.getProducedType();
    }
}
