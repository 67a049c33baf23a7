package peers;

import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Scores what is in a topic now into another one, then ends. Arguments: broker, source, sink, model file, guarantee,
 * milliseconds between commits. With the property peers.live it goes on, in one thread, and sends scores at once.
 */
public class StreamsApplication {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("application.id", "streams-" + args[2]);
        settings.put("auto.offset.reset", "earliest");
        boolean live = Boolean.getBoolean("peers.live");
        settings.put("num.stream.threads", live ? "1" : "2");
        if (live) {
            settings.put("producer.linger.ms", "0");
        }
        settings.put("processing.guarantee", args[4]);
        settings.put("commit.interval.ms", args[5]);
        settings.put("state.dir", Files.createTempDirectory("streams-").toString());

        CountDownLatch done = new CountDownLatch(1);
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(args[1], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .mapValues(new Scoring(args[3], live ? Long.MAX_VALUE : records(args[0], args[1]), done))
                .to(args[2], Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.start();
        done.await();
        System.exit(streams.close(Duration.ofMinutes(1)) ? 0 : 1);
    }

    /** Return how many records are in a topic now. */
    private static long records(String broker, String topic) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", broker);
        KafkaConsumer consumer = new KafkaConsumer(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List partitions = new ArrayList();
        for (Iterator found = consumer.partitionsFor(topic).iterator(); found.hasNext();) {
            partitions.add(new TopicPartition(topic, ((PartitionInfo) found.next()).partition()));
        }
        long records = 0;
        for (Iterator ends = consumer.endOffsets(partitions).values().iterator(); ends.hasNext();) {
            records += ((Long) ends.next()).longValue();
        }
        consumer.close();
        return records;
    }
}
