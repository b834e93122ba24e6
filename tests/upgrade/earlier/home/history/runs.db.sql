BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('29b539ebc72a');
CREATE TABLE backfill_tags (
	id INTEGER NOT NULL, 
	backfill_id VARCHAR(255), 
	"key" TEXT, 
	value TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "backfill_tags" VALUES(1,'azefuuej','dagster/priority','-10');
INSERT INTO "backfill_tags" VALUES(2,'azefuuej','directus_assets/collection','posts');
INSERT INTO "backfill_tags" VALUES(3,'azefuuej','directus_assets/outputs','de-DE, fr-FR');
INSERT INTO "backfill_tags" VALUES(4,'azefuuej','directus_assets/trigger','scan');
CREATE TABLE bulk_actions (
	id INTEGER NOT NULL, 
	"key" VARCHAR(32) NOT NULL, 
	status VARCHAR(255) NOT NULL, 
	timestamp TIMESTAMP NOT NULL, 
	body TEXT, 
	action_type VARCHAR(32), 
	selector_id TEXT, 
	job_name TEXT, 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO "bulk_actions" VALUES(1,'azefuuej','COMPLETED_FAILED','2026-11-29 17:53:30.227134','{"__class__": "PartitionBackfill", "asset_backfill_data": {"__class__": "AssetBackfillData", "backfill_start_time": {"__class__": "TimestampWithTimezone", "timestamp": 1795974810.2271342, "timezone": "UTC"}, "failed_and_downstream_subset": {"__class__": "AssetGraphSubset", "non_partitioned_asset_keys": {"__set__": []}, "partitions_subsets_by_asset_key": {"__mapping_items__": [[{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "DefaultPartitionsSubset", "subset": {"__set__": ["1"]}}]]}}, "latest_storage_id": 135, "materialized_subset": {"__class__": "AssetGraphSubset", "non_partitioned_asset_keys": {"__set__": []}, "partitions_subsets_by_asset_key": {"__mapping_items__": [[{"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}, {"__class__": "DefaultPartitionsSubset", "subset": {"__set__": ["1"]}}]]}}, "requested_runs_for_target_roots": true, "requested_subset": {"__class__": "AssetGraphSubset", "non_partitioned_asset_keys": {"__set__": []}, "partitions_subsets_by_asset_key": {"__mapping_items__": [[{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "DefaultPartitionsSubset", "subset": {"__set__": ["1"]}}], [{"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}, {"__class__": "DefaultPartitionsSubset", "subset": {"__set__": ["1"]}}]]}}, "target_subset": {"__class__": "AssetGraphSubset", "non_partitioned_asset_keys": {"__set__": []}, "partitions_subsets_by_asset_key": {"__mapping_items__": [[{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "DefaultPartitionsSubset", "subset": {"__set__": ["1"]}}], [{"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}, {"__class__": "DefaultPartitionsSubset", "subset": {"__set__": ["1"]}}]]}}}, "asset_selection": [{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}], "backfill_end_timestamp": 1795974900.6279364, "backfill_id": "azefuuej", "backfill_timestamp": 1795974810.2271342, "description": null, "error": null, "failure_count": 0, "from_failure": false, "last_submitted_partition_name": null, "partition_names": null, "partition_set_origin": null, "reexecution_steps": null, "reserved_run_ids": [], "run_config": {}, "serialized_asset_backfill_data": null, "status": {"__enum__": "BulkActionStatus.COMPLETED_FAILED"}, "submitting_run_requests": [], "tags": {"dagster/priority": "-10", "directus_assets/collection": "posts", "directus_assets/outputs": "de-DE, fr-FR", "directus_assets/trigger": "scan"}, "title": "Reconcile: missing or stale"}','MULTI_RUN_ASSET_ACTION',NULL,NULL);
CREATE TABLE daemon_heartbeats (
	id INTEGER NOT NULL, 
	daemon_type VARCHAR(255) NOT NULL, 
	daemon_id VARCHAR(255), 
	timestamp TIMESTAMP NOT NULL, 
	body TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (daemon_type)
);
CREATE TABLE instance_info (
	id INTEGER NOT NULL, 
	run_storage_id TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE kvs (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "kvs" VALUES(1,'EVENT_LOG_CONSUMER_CURSOR-PIPELINE_FAILURE','103');
INSERT INTO "kvs" VALUES(2,'EVENT_LOG_CONSUMER_CURSOR-PIPELINE_SUCCESS','135');
CREATE TABLE run_tags (
	id INTEGER NOT NULL, 
	run_id VARCHAR(255), 
	"key" TEXT, 
	value TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id) ON DELETE CASCADE
);
INSERT INTO "run_tags" VALUES(1,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(2,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','.dagster/pool/render','true');
INSERT INTO "run_tags" VALUES(3,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/asset_partition_range_end','20b5844d-666f-4d9b-9f79-5961b9bb6187');
INSERT INTO "run_tags" VALUES(4,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/asset_partition_range_start','b6dca078-998f-49e5-843f-8e24db4d458e');
INSERT INTO "run_tags" VALUES(5,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/priority','-10');
INSERT INTO "run_tags" VALUES(6,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/sensor_name','directus_files_sensor');
INSERT INTO "run_tags" VALUES(7,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','directus_assets/trigger','scan');
INSERT INTO "run_tags" VALUES(8,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/tick','2');
INSERT INTO "run_tags" VALUES(9,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/run_key','scan:dc187e18:b6dca078-998f-49e5-843f-8e24db4d458e:20b5844d-666f-4d9b-9f79-5961b9bb6187:card:wide-one');
INSERT INTO "run_tags" VALUES(10,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(28,'4c5cd733-b0f9-4995-977b-91575755ff16','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(29,'4c5cd733-b0f9-4995-977b-91575755ff16','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(30,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/asset_partition_range_end','26b6e30b-3068-4271-bc89-b170fb3a01ea');
INSERT INTO "run_tags" VALUES(31,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/asset_partition_range_start','26b6e30b-3068-4271-bc89-b170fb3a01ea');
INSERT INTO "run_tags" VALUES(32,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/priority','-10');
INSERT INTO "run_tags" VALUES(33,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/sensor_name','directus_pages_sensor');
INSERT INTO "run_tags" VALUES(34,'4c5cd733-b0f9-4995-977b-91575755ff16','directus_assets/trigger','scan');
INSERT INTO "run_tags" VALUES(35,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/tick','3');
INSERT INTO "run_tags" VALUES(36,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/run_key','scan:b0ffd84b:26b6e30b-3068-4271-bc89-b170fb3a01ea:26b6e30b-3068-4271-bc89-b170fb3a01ea:de-DE:fr-FR');
INSERT INTO "run_tags" VALUES(37,'4c5cd733-b0f9-4995-977b-91575755ff16','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(38,'d0eab303-5afe-4241-8114-16c5371ebec4','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(39,'d0eab303-5afe-4241-8114-16c5371ebec4','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(40,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/asset_partition_range_end','20b5844d-666f-4d9b-9f79-5961b9bb6187');
INSERT INTO "run_tags" VALUES(41,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/asset_partition_range_start','b6dca078-998f-49e5-843f-8e24db4d458e');
INSERT INTO "run_tags" VALUES(42,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/priority','-10');
INSERT INTO "run_tags" VALUES(43,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/sensor_name','directus_files_sensor');
INSERT INTO "run_tags" VALUES(44,'d0eab303-5afe-4241-8114-16c5371ebec4','directus_assets/trigger','scan');
INSERT INTO "run_tags" VALUES(45,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/tick','2');
INSERT INTO "run_tags" VALUES(46,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/run_key','scan:dc187e18:b6dca078-998f-49e5-843f-8e24db4d458e:20b5844d-666f-4d9b-9f79-5961b9bb6187:enrich:alt_text');
INSERT INTO "run_tags" VALUES(47,'d0eab303-5afe-4241-8114-16c5371ebec4','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(48,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(49,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(50,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/asset_partition_range_end','2');
INSERT INTO "run_tags" VALUES(51,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/asset_partition_range_start','1');
INSERT INTO "run_tags" VALUES(52,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/priority','-10');
INSERT INTO "run_tags" VALUES(53,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/sensor_name','directus_posts_sensor');
INSERT INTO "run_tags" VALUES(54,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','directus_assets/trigger','scan');
INSERT INTO "run_tags" VALUES(55,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/tick','1');
INSERT INTO "run_tags" VALUES(56,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/run_key','scan:7446256c:1:2:enrich:summary');
INSERT INTO "run_tags" VALUES(57,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(59,'f40c8652-1de4-49c6-9b28-caec3c9b40dc','directus_assets/worker','21296 5226765 19ceec25ab83 f40c8652-1de4-49c6-9b28-caec3c9b40dc');
INSERT INTO "run_tags" VALUES(61,'4c5cd733-b0f9-4995-977b-91575755ff16','directus_assets/worker','21402 5227224 19ceec25ab83 4c5cd733-b0f9-4995-977b-91575755ff16');
INSERT INTO "run_tags" VALUES(62,'d0eab303-5afe-4241-8114-16c5371ebec4','directus_assets/worker','23113 5233302 19ceec25ab83 d0eab303-5afe-4241-8114-16c5371ebec4');
INSERT INTO "run_tags" VALUES(63,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e','directus_assets/worker','23203 5233650 19ceec25ab83 4e9a34b3-9f7e-4969-8032-3bb5c348c44e');
INSERT INTO "run_tags" VALUES(72,'7144d86e-c604-4ab1-b256-db9a0926c659','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(73,'7144d86e-c604-4ab1-b256-db9a0926c659','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(74,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/asset_partition_range_end','2');
INSERT INTO "run_tags" VALUES(75,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/asset_partition_range_start','1');
INSERT INTO "run_tags" VALUES(76,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/priority','10');
INSERT INTO "run_tags" VALUES(77,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/sensor_name','directus_posts_sensor');
INSERT INTO "run_tags" VALUES(78,'7144d86e-c604-4ab1-b256-db9a0926c659','directus_assets/trigger','change');
INSERT INTO "run_tags" VALUES(79,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/tick','83');
INSERT INTO "run_tags" VALUES(80,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/run_key','change:83-6b5cd79f2c26ba9e-own:1:2:de-DE:fr-FR');
INSERT INTO "run_tags" VALUES(81,'7144d86e-c604-4ab1-b256-db9a0926c659','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(82,'7144d86e-c604-4ab1-b256-db9a0926c659','directus_assets/worker','24508 5237574 19ceec25ab83 7144d86e-c604-4ab1-b256-db9a0926c659');
INSERT INTO "run_tags" VALUES(102,'5af9993a-6c18-4038-b5b6-37e49621574e','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(103,'5af9993a-6c18-4038-b5b6-37e49621574e','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(104,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/asset_partition_range_end','1');
INSERT INTO "run_tags" VALUES(105,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/asset_partition_range_start','1');
INSERT INTO "run_tags" VALUES(106,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/priority','10');
INSERT INTO "run_tags" VALUES(107,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/sensor_name','directus_posts_sensor');
INSERT INTO "run_tags" VALUES(108,'5af9993a-6c18-4038-b5b6-37e49621574e','directus_assets/trigger','change');
INSERT INTO "run_tags" VALUES(109,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/tick','142');
INSERT INTO "run_tags" VALUES(110,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/run_key','change:91-ee2bf39d52154539:1:1:enrich:summary');
INSERT INTO "run_tags" VALUES(111,'5af9993a-6c18-4038-b5b6-37e49621574e','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(112,'5af9993a-6c18-4038-b5b6-37e49621574e','directus_assets/worker','29897 5244157 19ceec25ab83 5af9993a-6c18-4038-b5b6-37e49621574e');
INSERT INTO "run_tags" VALUES(141,'13540357-5b75-4170-b076-a2c4db91b100','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(142,'13540357-5b75-4170-b076-a2c4db91b100','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(143,'13540357-5b75-4170-b076-a2c4db91b100','dagster/asset_partition_range_end','1');
INSERT INTO "run_tags" VALUES(144,'13540357-5b75-4170-b076-a2c4db91b100','dagster/asset_partition_range_start','1');
INSERT INTO "run_tags" VALUES(145,'13540357-5b75-4170-b076-a2c4db91b100','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(146,'13540357-5b75-4170-b076-a2c4db91b100','dagster/priority','10');
INSERT INTO "run_tags" VALUES(147,'13540357-5b75-4170-b076-a2c4db91b100','dagster/run_key','change:93-616055f23280a69c-own:1:1:de-DE:fr-FR');
INSERT INTO "run_tags" VALUES(148,'13540357-5b75-4170-b076-a2c4db91b100','dagster/sensor_name','directus_posts_sensor');
INSERT INTO "run_tags" VALUES(149,'13540357-5b75-4170-b076-a2c4db91b100','dagster/tick','165');
INSERT INTO "run_tags" VALUES(150,'13540357-5b75-4170-b076-a2c4db91b100','directus_assets/trigger','change');
INSERT INTO "run_tags" VALUES(151,'13540357-5b75-4170-b076-a2c4db91b100','directus_assets/worker','21058 5285953 19ceec25ab83 13540357-5b75-4170-b076-a2c4db91b100');
INSERT INTO "run_tags" VALUES(152,'13540357-5b75-4170-b076-a2c4db91b100','dagster/retry_number','1');
INSERT INTO "run_tags" VALUES(153,'13540357-5b75-4170-b076-a2c4db91b100','dagster/parent_run_id','04b65852-e83a-4507-8aa3-5ec3f6deeccc');
INSERT INTO "run_tags" VALUES(154,'13540357-5b75-4170-b076-a2c4db91b100','dagster/root_run_id','04b65852-e83a-4507-8aa3-5ec3f6deeccc');
INSERT INTO "run_tags" VALUES(155,'13540357-5b75-4170-b076-a2c4db91b100','dagster/is_resume_retry','true');
INSERT INTO "run_tags" VALUES(182,'12e5fc2c-9a56-4281-b748-31ed0cb66620','.dagster/repository','__repository__@directus_assets');
INSERT INTO "run_tags" VALUES(183,'12e5fc2c-9a56-4281-b748-31ed0cb66620','.dagster/pool/llm','true');
INSERT INTO "run_tags" VALUES(184,'12e5fc2c-9a56-4281-b748-31ed0cb66620','dagster/asset_partition_range_start','1');
INSERT INTO "run_tags" VALUES(185,'12e5fc2c-9a56-4281-b748-31ed0cb66620','dagster/asset_partition_range_end','1');
INSERT INTO "run_tags" VALUES(186,'12e5fc2c-9a56-4281-b748-31ed0cb66620','dagster/priority','-10');
INSERT INTO "run_tags" VALUES(187,'12e5fc2c-9a56-4281-b748-31ed0cb66620','directus_assets/collection','posts');
INSERT INTO "run_tags" VALUES(188,'12e5fc2c-9a56-4281-b748-31ed0cb66620','directus_assets/outputs','de-DE, fr-FR');
INSERT INTO "run_tags" VALUES(189,'12e5fc2c-9a56-4281-b748-31ed0cb66620','directus_assets/trigger','scan');
INSERT INTO "run_tags" VALUES(190,'12e5fc2c-9a56-4281-b748-31ed0cb66620','dagster/backfill','azefuuej');
INSERT INTO "run_tags" VALUES(191,'12e5fc2c-9a56-4281-b748-31ed0cb66620','dagster/code_location','directus_assets');
INSERT INTO "run_tags" VALUES(200,'12e5fc2c-9a56-4281-b748-31ed0cb66620','directus_assets/worker','24393 5294147 19ceec25ab83 12e5fc2c-9a56-4281-b748-31ed0cb66620');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	run_id VARCHAR(255), 
	snapshot_id VARCHAR(255), 
	pipeline_name TEXT, 
	mode TEXT, 
	status VARCHAR(63), 
	run_body TEXT, 
	partition TEXT, 
	partition_set TEXT, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	update_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	start_time FLOAT, 
	end_time FLOAT, 
	backfill_id VARCHAR(255), 
	PRIMARY KEY (id), 
	UNIQUE (run_id), 
	CONSTRAINT fk_runs_snapshot_id_snapshots_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (snapshot_id)
);
INSERT INTO "runs" VALUES(1,'f40c8652-1de4-49c6-9b28-caec3c9b40dc',NULL,'image_presets',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["image_presets", "card"]}, {"__class__": "AssetKey", "path": ["image_presets", "wide-one"]}]}, "execution_plan_snapshot_id": "a284c8b9b216a7b74c36be64697dc44d86c0bf1f", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "image_presets"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "20b5844d-666f-4d9b-9f79-5961b9bb6187", "start": "b6dca078-998f-49e5-843f-8e24db4d458e"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_files"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "image_presets", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "image_presets", "pipeline_snapshot_id": "b3594e31b2c0013b2d1398a57f17170e1c98a807", "root_run_id": null, "run_config": {}, "run_id": "f40c8652-1de4-49c6-9b28-caec3c9b40dc", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["render"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"render": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "20b5844d-666f-4d9b-9f79-5961b9bb6187", "dagster/asset_partition_range_start": "b6dca078-998f-49e5-843f-8e24db4d458e", "dagster/code_location": "directus_assets", "dagster/priority": "-10", "dagster/run_key": "scan:dc187e18:b6dca078-998f-49e5-843f-8e24db4d458e:20b5844d-666f-4d9b-9f79-5961b9bb6187:card:wide-one", "dagster/sensor_name": "directus_files_sensor", "dagster/tick": "2", "directus_assets/trigger": "scan", "directus_assets/worker": "21296 5226765 19ceec25ab83 f40c8652-1de4-49c6-9b28-caec3c9b40dc"}}',NULL,NULL,'2026-11-29 17:42:03.378341','2026-11-29 17:43:49.662370',1.79597421715031194686e+09,1795974229.66237,NULL);
INSERT INTO "runs" VALUES(4,'4c5cd733-b0f9-4995-977b-91575755ff16',NULL,'translate_pages',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["translations", "pages", "de-DE"]}, {"__class__": "AssetKey", "path": ["translations", "pages", "fr-FR"]}]}, "execution_plan_snapshot_id": "f0c978ede15c5145baa58cce88e935bb174d34c5", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "translate_pages"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "26b6e30b-3068-4271-bc89-b170fb3a01ea", "start": "26b6e30b-3068-4271-bc89-b170fb3a01ea"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_pages"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "translate_pages", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "translate_pages", "pipeline_snapshot_id": "b8a9f29c40afad43c7bc93ac71434c9ab153e93a", "root_run_id": null, "run_config": {}, "run_id": "4c5cd733-b0f9-4995-977b-91575755ff16", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "26b6e30b-3068-4271-bc89-b170fb3a01ea", "dagster/asset_partition_range_start": "26b6e30b-3068-4271-bc89-b170fb3a01ea", "dagster/code_location": "directus_assets", "dagster/priority": "-10", "dagster/run_key": "scan:b0ffd84b:26b6e30b-3068-4271-bc89-b170fb3a01ea:26b6e30b-3068-4271-bc89-b170fb3a01ea:de-DE:fr-FR", "dagster/sensor_name": "directus_pages_sensor", "dagster/tick": "3", "directus_assets/trigger": "scan", "directus_assets/worker": "21402 5227224 19ceec25ab83 4c5cd733-b0f9-4995-977b-91575755ff16"}}',NULL,NULL,'2026-11-29 17:42:06.949121','2026-11-29 17:43:57.751343',1.795974222519785881e+09,1.79597423775134301185e+09,NULL);
INSERT INTO "runs" VALUES(5,'d0eab303-5afe-4241-8114-16c5371ebec4',NULL,'enrich_directus_files',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["enrichments", "directus_files", "alt_text"]}]}, "execution_plan_snapshot_id": "c8504507823a278e26d7ad7861155078a8c04b6d", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "enrich_directus_files"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "20b5844d-666f-4d9b-9f79-5961b9bb6187", "start": "b6dca078-998f-49e5-843f-8e24db4d458e"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_files"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "enrich_directus_files", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "enrich_directus_files", "pipeline_snapshot_id": "66414c6c67bccc249d25d1b5ada446d1daa4e674", "root_run_id": null, "run_config": {}, "run_id": "d0eab303-5afe-4241-8114-16c5371ebec4", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "20b5844d-666f-4d9b-9f79-5961b9bb6187", "dagster/asset_partition_range_start": "b6dca078-998f-49e5-843f-8e24db4d458e", "dagster/code_location": "directus_assets", "dagster/priority": "-10", "dagster/run_key": "scan:dc187e18:b6dca078-998f-49e5-843f-8e24db4d458e:20b5844d-666f-4d9b-9f79-5961b9bb6187:enrich:alt_text", "dagster/sensor_name": "directus_files_sensor", "dagster/tick": "2", "directus_assets/trigger": "scan", "directus_assets/worker": "23113 5233302 19ceec25ab83 d0eab303-5afe-4241-8114-16c5371ebec4"}}',NULL,NULL,'2026-11-29 17:42:09.496224','2026-11-29 17:44:38.852968',1.79597426901139688498e+09,1.79597427885296797751e+09,NULL);
INSERT INTO "runs" VALUES(6,'4e9a34b3-9f7e-4969-8032-3bb5c348c44e',NULL,'enrich_posts',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["enrichments", "posts", "summary"]}]}, "execution_plan_snapshot_id": "8f8eb594b2bd76cae5c21f8320de8f0ce8985c49", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "enrich_posts"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "2", "start": "1"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_posts"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "enrich_posts", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "enrich_posts", "pipeline_snapshot_id": "6c641c4e1a8ea153a2443c9f950fe82b6ac95893", "root_run_id": null, "run_config": {}, "run_id": "4e9a34b3-9f7e-4969-8032-3bb5c348c44e", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "2", "dagster/asset_partition_range_start": "1", "dagster/code_location": "directus_assets", "dagster/priority": "-10", "dagster/run_key": "scan:7446256c:1:2:enrich:summary", "dagster/sensor_name": "directus_posts_sensor", "dagster/tick": "1", "directus_assets/trigger": "scan", "directus_assets/worker": "23203 5233650 19ceec25ab83 4e9a34b3-9f7e-4969-8032-3bb5c348c44e"}}',NULL,NULL,'2026-11-29 17:42:12.768470','2026-11-29 17:44:34.027925',1.79597426360905909536e+09,1.79597427402792501451e+09,NULL);
INSERT INTO "runs" VALUES(8,'7144d86e-c604-4ab1-b256-db9a0926c659',NULL,'translate_posts',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}]}, "execution_plan_snapshot_id": "be4eb53d7445071ed38ad2aa8a5994bdb73649ef", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "translate_posts"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "2", "start": "1"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_posts"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "translate_posts", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "translate_posts", "pipeline_snapshot_id": "0f495d7097fb02dd8435bd4191ff9f2b08e645c5", "root_run_id": null, "run_config": {}, "run_id": "7144d86e-c604-4ab1-b256-db9a0926c659", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "2", "dagster/asset_partition_range_start": "1", "dagster/code_location": "directus_assets", "dagster/priority": "10", "dagster/run_key": "change:83-6b5cd79f2c26ba9e-own:1:2:de-DE:fr-FR", "dagster/sensor_name": "directus_posts_sensor", "dagster/tick": "83", "directus_assets/trigger": "change", "directus_assets/worker": "24508 5237574 19ceec25ab83 7144d86e-c604-4ab1-b256-db9a0926c659"}}',NULL,NULL,'2026-11-29 17:44:37.773754','2026-11-29 17:45:00.837247',1.79597429318738889699e+09,1.79597430083724689479e+09,NULL);
INSERT INTO "runs" VALUES(11,'5af9993a-6c18-4038-b5b6-37e49621574e',NULL,'enrich_posts',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["enrichments", "posts", "summary"]}]}, "execution_plan_snapshot_id": "8f8eb594b2bd76cae5c21f8320de8f0ce8985c49", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "enrich_posts"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "1", "start": "1"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_posts"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "enrich_posts", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "enrich_posts", "pipeline_snapshot_id": "6c641c4e1a8ea153a2443c9f950fe82b6ac95893", "root_run_id": null, "run_config": {}, "run_id": "5af9993a-6c18-4038-b5b6-37e49621574e", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "1", "dagster/asset_partition_range_start": "1", "dagster/code_location": "directus_assets", "dagster/priority": "10", "dagster/run_key": "change:91-ee2bf39d52154539:1:1:enrich:summary", "dagster/sensor_name": "directus_posts_sensor", "dagster/tick": "142", "directus_assets/trigger": "change", "directus_assets/worker": "29897 5244157 19ceec25ab83 5af9993a-6c18-4038-b5b6-37e49621574e"}}',NULL,NULL,'2026-11-29 17:45:45.450338','2026-11-29 17:46:07.731933',1.79597436240430808067e+09,1.7959743677319331169e+09,NULL);
INSERT INTO "runs" VALUES(15,'13540357-5b75-4170-b076-a2c4db91b100',NULL,'translate_posts',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__set__": [{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}]}, "execution_plan_snapshot_id": "fd6b661b2eb3e712d63e6ac8631dc61368d6a309", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "translate_posts"}, "has_repository_load_data": true, "mode": null, "parent_run_id": "04b65852-e83a-4507-8aa3-5ec3f6deeccc", "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "1", "start": "1"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_posts"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "translate_posts", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "translate_posts", "pipeline_snapshot_id": "0f495d7097fb02dd8435bd4191ff9f2b08e645c5", "root_run_id": "04b65852-e83a-4507-8aa3-5ec3f6deeccc", "run_config": {}, "run_id": "13540357-5b75-4170-b076-a2c4db91b100", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": ["translate_items_of_posts"], "tags": {"dagster/asset_partition_range_end": "1", "dagster/asset_partition_range_start": "1", "dagster/code_location": "directus_assets", "dagster/is_resume_retry": "true", "dagster/parent_run_id": "04b65852-e83a-4507-8aa3-5ec3f6deeccc", "dagster/priority": "10", "dagster/retry_number": "1", "dagster/root_run_id": "04b65852-e83a-4507-8aa3-5ec3f6deeccc", "dagster/run_key": "change:93-616055f23280a69c-own:1:1:de-DE:fr-FR", "dagster/sensor_name": "directus_posts_sensor", "dagster/tick": "165", "directus_assets/trigger": "change", "directus_assets/worker": "21058 5285953 19ceec25ab83 13540357-5b75-4170-b076-a2c4db91b100"}}',NULL,NULL,'2026-11-29 17:52:06.937605','2026-11-29 17:53:27.309459',1.7959747944835789203e+09,1.79597480730945897103e+09,NULL);
INSERT INTO "runs" VALUES(18,'12e5fc2c-9a56-4281-b748-31ed0cb66620',NULL,'__ASSET_JOB',NULL,'SUCCESS','{"__class__": "PipelineRun", "asset_check_selection": null, "asset_selection": {"__frozenset__": [{"__class__": "AssetKey", "path": ["translations", "posts", "de-DE"]}, {"__class__": "AssetKey", "path": ["translations", "posts", "fr-FR"]}]}, "execution_plan_snapshot_id": "74b70182cbfef7342bfcbd197c5c6c07ef850200", "external_pipeline_origin": {"__class__": "ExternalPipelineOrigin", "external_repository_origin": {"__class__": "ExternalRepositoryOrigin", "repository_location_origin": {"__class__": "GrpcServerRepositoryLocationOrigin", "additional_metadata": {"module_name": "directus_assets.definitions"}, "host": "localhost", "location_name": "directus_assets", "port": null, "socket": "/tmp/socket"}, "repository_name": "__repository__"}, "pipeline_name": "__ASSET_JOB"}, "has_repository_load_data": true, "mode": null, "parent_run_id": null, "partitions_subset": {"__class__": "KeyRangesPartitionsSubset", "key_ranges": [{"__class__": "PartitionKeyRange", "end": "1", "start": "1"}], "partitions_snap": {"__class__": "ExternalDynamicPartitionsDefinitionData", "name": "directus_posts"}}, "pipeline_code_origin": {"__class__": "PipelinePythonOrigin", "pipeline_name": "__ASSET_JOB", "repository_origin": {"__class__": "RepositoryPythonOrigin", "code_pointer": {"__class__": "ModuleCodePointer", "fn_name": "defs", "module": "directus_assets.definitions", "working_directory": "/project"}, "container_context": {}, "container_image": null, "entry_point": ["dagster"], "executable_path": "python"}}, "pipeline_name": "__ASSET_JOB", "pipeline_snapshot_id": "96ca9191301494d66d2742cbfbf1bf6f394fbcc6", "root_run_id": null, "run_config": {}, "run_id": "12e5fc2c-9a56-4281-b748-31ed0cb66620", "run_op_concurrency": {"__class__": "RunOpConcurrency", "all_pools": {"__set__": ["llm"]}, "has_unconstrained_root_nodes": false, "root_key_counts": {"llm": 1}}, "solid_selection": null, "solids_to_execute": null, "status": {"__enum__": "PipelineRunStatus.SUCCESS"}, "step_keys_to_execute": null, "tags": {"dagster/asset_partition_range_end": "1", "dagster/asset_partition_range_start": "1", "dagster/backfill": "azefuuej", "dagster/code_location": "directus_assets", "dagster/priority": "-10", "directus_assets/collection": "posts", "directus_assets/outputs": "de-DE, fr-FR", "directus_assets/trigger": "scan", "directus_assets/worker": "24393 5294147 19ceec25ab83 12e5fc2c-9a56-4281-b748-31ed0cb66620"}}',NULL,NULL,'2026-11-29 17:54:01.913220','2026-11-29 17:54:30.023098',1.79597486421401810645e+09,1.79597487002309799198e+09,'azefuuej');
CREATE TABLE secondary_indexes (
	id INTEGER NOT NULL, 
	name VARCHAR(512), 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	migration_completed DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "secondary_indexes" VALUES(1,'run_partitions','2026-11-29 17:40:40','2026-11-29 17:40:40.556694');
INSERT INTO "secondary_indexes" VALUES(2,'run_repo_label_tags','2026-11-29 17:40:40','2026-11-29 17:40:40.647484');
INSERT INTO "secondary_indexes" VALUES(3,'bulk_action_types','2026-11-29 17:40:40','2026-11-29 17:40:40.765712');
INSERT INTO "secondary_indexes" VALUES(4,'run_backfill_id','2026-11-29 17:40:40','2026-11-29 17:40:40.869032');
INSERT INTO "secondary_indexes" VALUES(5,'backfill_job_name_and_tags','2026-11-29 17:40:40','2026-11-29 17:40:40.954636');
INSERT INTO "secondary_indexes" VALUES(6,'backfill_end_timestamp','2026-11-29 17:40:41','2026-11-29 17:40:41.044965');
INSERT INTO "secondary_indexes" VALUES(7,'run_start_end_overwritten','2026-11-29 17:40:41','2026-11-29 17:40:41.173699');
CREATE TABLE snapshots (
	id INTEGER NOT NULL, 
	snapshot_id VARCHAR(255) NOT NULL, 
	snapshot_body BLOB NOT NULL, 
	snapshot_type VARCHAR(63) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (snapshot_id)
);
CREATE INDEX idx_bulk_actions ON bulk_actions ("key");
CREATE INDEX idx_bulk_actions_selector_id ON bulk_actions (selector_id);
CREATE INDEX idx_bulk_actions_status ON bulk_actions (status);
CREATE INDEX idx_bulk_actions_action_type ON bulk_actions (action_type);
CREATE INDEX idx_backfill_tags_backfill_id ON backfill_tags (backfill_id, id);
CREATE UNIQUE INDEX idx_kvs_keys_unique ON kvs ("key");
CREATE INDEX idx_runs_by_backfill_id ON runs (backfill_id, id);
CREATE INDEX idx_run_range ON runs (status, update_timestamp, create_timestamp);
CREATE INDEX idx_runs_by_job ON runs (pipeline_name, id);
CREATE INDEX idx_run_status ON runs (status);
CREATE INDEX idx_run_partitions ON runs (partition_set, partition);
CREATE INDEX idx_run_tags ON run_tags ("key", value);
CREATE INDEX idx_run_tags_run_idx ON run_tags (run_id, id);
COMMIT;