package millstream;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.apache.flink.connector.kafka.source.metrics.KafkaSourceReaderMetrics;
import org.apache.flink.connector.kafka.source.reader.KafkaPartitionSplitReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.WakeupException;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Flink's reader of partitions, which counts the records that a topic no longer has when it comes to them: at the start
 * of a job that was down, or later, where retention is faster than the job.
 *
 * <p>Kafka's client would go on at the oldest record without a word. Told not to, it says at which offset it was. Gaps
 * between offsets are no sign: compaction and transactions make them too.
 */
class ResumingSplitReader extends KafkaPartitionSplitReader {

    private static final Logger LOG = LoggerFactory.getLogger(ResumingSplitReader.class);

    private final KafkaConsumer<?, ?> consumer;
    private final MetricGroup metrics;
    private final Map<TopicPartition, Counter> expired = new HashMap<>();

    ResumingSplitReader(Properties client, SourceReaderContext context, KafkaSourceReaderMetrics flinks)
            throws ReflectiveOperationException {
        super(silent(client), context, flinks);
        Field field = KafkaPartitionSplitReader.class.getDeclaredField("consumer");
        field.setAccessible(true);
        consumer = (KafkaConsumer<?, ?>) field.get(this);
        metrics = context.metricGroup().addGroup("millstream");
    }

    private static Properties silent(Properties client) {
        Properties changed = new Properties();
        changed.putAll(client);
        changed.setProperty("auto.offset.reset", "none");
        return changed;
    }

    @Override
    public void handleSplitsChanges(SplitsChange<KafkaPartitionSplit> change) {
        // From the start: a rate cannot be seen in a counter whose first value is not 0.
        change.splits().forEach(split -> counterOf(split.getTopicPartition()));
        super.handleSplitsChanges(change);
    }

    private Counter counterOf(TopicPartition part) {
        return expired.computeIfAbsent(part, key -> metrics
                .addGroup("topic", key.topic())
                .addGroup("partition", String.valueOf(key.partition()))
                .counter("expired", new ThreadSafeSimpleCounter()));
    }

    @Override
    public RecordsWithSplitIds<ConsumerRecord<byte[], byte[]>> fetch() throws IOException {
        while (true) {
            try {
                return super.fetch();
            } catch (LogTruncationException truncated) { // a broker took over that lacks the newest records
                truncated.divergentOffsets().forEach((part, next) -> consumer.seek(part, next.offset()));
            } catch (OffsetOutOfRangeException gone) {
                goOn(gone.offsetOutOfRangePartitions());
            }
        }
    }

    /** Go on at the oldest records of partitions that no longer have the ones that were `next`. */
    private void goOn(Map<TopicPartition, Long> next) {
        Map<TopicPartition, Long> oldest;
        try {
            oldest = consumer.beginningOffsets(next.keySet());
        } catch (WakeupException called) { // for the fetch: it returns, and is asked again
            consumer.wakeup();
            return;
        }
        oldest.forEach((part, first) -> {
            long from = next.get(part);
            if (first > from) {
                counterOf(part).inc(first - from);
                LOG.warn("{} records of partition {} of topic {} have expired before they were read, offsets {} to {};"
                        + " the job goes on with the oldest that is left", first - from, part.partition(),
                        part.topic(), from, first - 1);
            }
            consumer.seek(part, first);
        });
    }
}
