package peers;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.formats.json.JsonDeserializationSchema;
import org.apache.flink.formats.json.JsonSerializationSchema;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Scores what is in a topic now into another one. Arguments: broker, source, sink, model file, ms between commits or 0. */
public class ScoreJob {
    public static void main(String[] args) throws Exception {
        String broker = args[0];
        long commitEvery = Long.parseLong(args[4]);

        Configuration options = new Configuration();
        options.setString("parallelism.default", "2");
        options.setString("pipeline.object-reuse", "true");
        options.setString("restart-strategy.type", "none");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(options);

        KafkaSource source = KafkaSource.builder()
                .setBootstrapServers(broker)
                .setTopics(new String[] {args[1]})
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setValueOnlyDeserializer(new JsonDeserializationSchema(Event.class))
                .build();
        KafkaSinkBuilder sink = KafkaSink.builder()
                .setBootstrapServers(broker)
                .setRecordSerializer(KafkaRecordSerializationSchema.builder()
                        .setTopic(args[2])
                        .setValueSerializationSchema(new JsonSerializationSchema())
                        .build());
        if (commitEvery > 0) {
            environment.enableCheckpointing(commitEvery);
            sink.setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(args[2]);
        }

        DataStream events = environment.fromSource(source, WatermarkStrategy.noWatermarks(), "events");
        events.transform("score", TypeInformation.of(Score.class), new ScoringOperator(args[3])).sinkTo(sink.build());
        environment.execute("score");
    }
}
