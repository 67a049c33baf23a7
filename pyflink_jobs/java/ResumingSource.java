package millstream;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.Properties;
import java.util.function.Supplier;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.base.source.reader.SourceReaderBase;
import org.apache.flink.connector.base.source.reader.fetcher.SplitFetcherManager;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.metrics.KafkaSourceReaderMetrics;
import org.apache.flink.connector.kafka.source.reader.KafkaPartitionSplitReader;
import org.apache.flink.connector.kafka.source.reader.KafkaSourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/**
 * Flink's source of Kafka, which goes on at the oldest record that is left where a topic no longer has its next one.
 *
 * <p>Flink goes on there at whatever end its start is at: a source that starts with the latest record skips all that
 * were written while the job was down. Where a job starts is as it was; its partitions are read by a reader of ours.
 */
class ResumingSource
        implements Source<RowData, KafkaPartitionSplit, KafkaSourceEnumState>, ResultTypeQueryable<RowData> {

    private static final String UNKNOWN = "the Kafka connector is not of a version that is known: 5.0";

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
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(UNKNOWN, problem);
        }
    }

    private static Field field(String name) throws NoSuchFieldException {
        return field(KafkaSource.class, name);
    }

    private static Field field(Class<?> owner, String name) throws NoSuchFieldException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** Return Flink's reader, which gets its records by readers of partitions of ours. */
    @Override
    public SourceReader<RowData, KafkaPartitionSplit> createReader(SourceReaderContext context) throws Exception {
        SourceReader<RowData, KafkaPartitionSplit> reader = flinks.createReader(context);
        Object metrics = field(KafkaSourceReader.class, "kafkaSourceReaderMetrics").get(reader);
        Object fetchers = field(SourceReaderBase.class, "splitFetcherManager").get(reader);
        Supplier<KafkaPartitionSplitReader> ours = () -> readerOfPartitions(context, (KafkaSourceReaderMetrics) metrics);
        field(SplitFetcherManager.class, "splitReaderFactory").set(fetchers, ours);
        return reader;
    }

    private KafkaPartitionSplitReader readerOfPartitions(SourceReaderContext context, KafkaSourceReaderMetrics metrics) {
        try {
            return new ResumingSplitReader(client, context, metrics);
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(UNKNOWN, problem);
        }
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
