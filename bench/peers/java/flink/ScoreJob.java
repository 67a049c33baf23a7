package peers;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.formats.avro.AvroDeserializationSchema;
import org.apache.flink.formats.avro.AvroSerializationSchema;
import org.apache.flink.formats.json.JsonDeserializationSchema;
import org.apache.flink.formats.json.JsonSerializationSchema;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Scores what is in a topic now into another one. Arguments: broker, source, sink, model file, format, milliseconds
 * between commits or 0. With the property peers.live it goes on, in one subtask, row by row, and sends scores at once.
 */
public class ScoreJob {
    public static void main(String[] args) throws Exception {
        boolean avro = args[4].equals("avro");
        long commitEvery = Long.parseLong(args[5]);
        Configuration options = new Configuration();
        boolean live = Boolean.getBoolean("peers.live");
        options.setString("parallelism.default", live ? "1" : "2");
        options.setString("pipeline.object-reuse", "true");
        options.setString("restart-strategy.type", "none");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(options);

        DeserializationSchema events = avro
                ? (DeserializationSchema) AvroDeserializationSchema.forSpecific(AvroEvent.class)
                : (DeserializationSchema) new JsonDeserializationSchema(Event.class);
        KafkaSourceBuilder source = KafkaSource.builder()
                .setBootstrapServers(args[0])
                .setTopics(new String[] {args[1]})
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setValueOnlyDeserializer(events);
        if (!live) {
            source.setBounded(OffsetsInitializer.latest());
        }
        DataStream read = environment.fromSource(source.build(), WatermarkStrategy.noWatermarks(), "events");
        SingleOutputStreamOperator scored =
                read.transform("score", TypeInformation.of(Score.class), new ScoringOperator(args[3], live ? 1 : 256));
        if (avro) {
            scored = scored.map(new ScoreToAvro()).returns(TypeInformation.of(AvroScore.class));
        }

        SerializationSchema scores = avro
                ? (SerializationSchema) AvroSerializationSchema.forSpecific(AvroScore.class)
                : (SerializationSchema) new JsonSerializationSchema();
        KafkaSinkBuilder sink = KafkaSink.builder()
                .setBootstrapServers(args[0])
                .setRecordSerializer(KafkaRecordSerializationSchema.builder()
                        .setTopic(args[2])
                        .setValueSerializationSchema(scores)
                        .build());
        if (live) {
            sink.setProperty("linger.ms", "0");
        }
        if (commitEvery > 0) {
            environment.enableCheckpointing(commitEvery);
            sink.setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(args[2]);
        }
        scored.sinkTo(sink.build());
        environment.execute("score");
    }
}
