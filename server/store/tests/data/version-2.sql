-- A state as version 2 of the schema has it, with four calls in its journal; made
-- with the countersign of that time.
PRAGMA application_id = 1129531214;
PRAGMA user_version = 2;
CREATE TABLE calls (
        session TEXT NOT NULL,
        id TEXT NOT NULL,
        decided INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (session, id)
    ) WITHOUT ROWID;
INSERT INTO "calls" VALUES('["claude-code","north",null]','18c3ce057edec12809b61e12cbc2c078',1795286585140,'{"id":"18c3ce057edec12809b61e12cbc2c078","key":{"agent":"claude-code","session":"north","subagent":null},"agent_call":"toolu_01","digest":"41469fae21154df180c9368f61d84a71157f8b7a7cb548e568211d22f137492c","approval":"3086127a249a42beefc62bd1dbd15dc8b67ac3b1c0c71bc5730c2863eec8bf20","tool":"run_shell_command","decision":{"decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command"},"events":["pre_tool"],"status":"delegated","delegated_to":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"decided":1795286585140,"writes":{"delegated":{"workspace":"/tmp/j1/old/ws","has_baseline":true,"footprint":{"writes":[],"unbounded":"what its commands write is not known","moves_head":true,"delegates":false}}}}');
INSERT INTO "calls" VALUES('["claude-code","north",null]','345e8bf2fcb5d94d32e878d85d4c4e7e',1795286585156,'{"id":"345e8bf2fcb5d94d32e878d85d4c4e7e","key":{"agent":"claude-code","session":"north","subagent":null},"agent_call":"toolu_02","digest":"e2e99080e593e1604f590518af19a348cf941198e9c2c7037342e049093a5f3b","approval":"c1e2e30cfb57352b2b1c2ec3002eefa4b4a789b55ca415e18c0d82b0780f9721","tool":"run_shell_command","decision":{"decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command"},"events":["pre_tool"],"status":"delegated","delegated_to":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"decided":1795286585156,"writes":{"delegated":{"workspace":"/tmp/j1/old/ws","has_baseline":true,"footprint":{"writes":[],"unbounded":"what its commands write is not known","moves_head":true,"delegates":false}}}}');
INSERT INTO "calls" VALUES('["claude-code","north",null]','84bdb4beea6416ae03ab945e0d8ebeaa',1795286585170,'{"id":"84bdb4beea6416ae03ab945e0d8ebeaa","key":{"agent":"claude-code","session":"north","subagent":null},"agent_call":"toolu_03","digest":"463a1cca8d53fdf3b532472909f90213d833e5e845326e825c31b09ca2fb5bcb","approval":"f0fb8b32ce65ce58cf50f4f3ad82764ba0c0a2534d3dd14006b40430e46a4b4c","tool":"run_shell_command","decision":{"decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command"},"events":["pre_tool"],"status":"delegated","delegated_to":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"decided":1795286585170,"writes":{"delegated":{"workspace":"/tmp/j1/old/ws","has_baseline":true,"footprint":{"writes":[],"unbounded":"what its commands write is not known","moves_head":true,"delegates":false}}}}');
INSERT INTO "calls" VALUES('["claude-code","north",null]','ab5a806c14e545393f7a772d09bdfb55',1795286585181,'{"id":"ab5a806c14e545393f7a772d09bdfb55","key":{"agent":"claude-code","session":"north","subagent":null},"agent_call":"toolu_04","digest":"9ec9b9ef447625dd863b3fb8b47887920cdb527e81962930f3b9d66d082f2815","approval":"2021c9e4bc2ed5e7222401255bfa16ddb77cadc9e4aedd7e213cc0a32f0c5ceb","tool":"run_shell_command","decision":{"decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command"},"events":["pre_tool"],"status":"delegated","delegated_to":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"decided":1795286585181,"writes":{"delegated":{"workspace":"/tmp/j1/old/ws","has_baseline":true,"footprint":{"writes":[],"unbounded":"what its commands write is not known","moves_head":true,"delegates":false}}}}');
CREATE TABLE in_flight (
        call TEXT PRIMARY KEY,
        since INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "in_flight" VALUES('18c3ce057edec12809b61e12cbc2c078',1795286585140,'{"call":"18c3ce057edec12809b61e12cbc2c078","key":{"agent":"claude-code","session":"north","subagent":null},"workspace":"/tmp/j1/old/ws","process":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"since":1795286585140,"unbounded":true,"moves_head":true}');
INSERT INTO "in_flight" VALUES('345e8bf2fcb5d94d32e878d85d4c4e7e',1795286585156,'{"call":"345e8bf2fcb5d94d32e878d85d4c4e7e","key":{"agent":"claude-code","session":"north","subagent":null},"workspace":"/tmp/j1/old/ws","process":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"since":1795286585156,"unbounded":true,"moves_head":true}');
INSERT INTO "in_flight" VALUES('84bdb4beea6416ae03ab945e0d8ebeaa',1795286585170,'{"call":"84bdb4beea6416ae03ab945e0d8ebeaa","key":{"agent":"claude-code","session":"north","subagent":null},"workspace":"/tmp/j1/old/ws","process":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"since":1795286585170,"unbounded":true,"moves_head":true}');
INSERT INTO "in_flight" VALUES('ab5a806c14e545393f7a772d09bdfb55',1795286585181,'{"call":"ab5a806c14e545393f7a772d09bdfb55","key":{"agent":"claude-code","session":"north","subagent":null},"workspace":"/tmp/j1/old/ws","process":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"since":1795286585181,"unbounded":true,"moves_head":true}');
CREATE TABLE journal (
        seq INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        kind TEXT NOT NULL,
        agent TEXT,
        session TEXT,
        subagent TEXT,
        call TEXT,
        agent_call TEXT,
        tool TEXT,
        decision TEXT,
        reason TEXT,
        body TEXT NOT NULL,
        prev_hash BLOB NOT NULL,
        hash BLOB NOT NULL
    );
INSERT INTO "journal" VALUES(1,1795286585140,'decision','claude-code','north',NULL,'18c3ce057edec12809b61e12cbc2c078','toolu_01','run_shell_command','ask','approval_mode','{"time":1795286585140,"kind":"decision","key":{"agent":"claude-code","session":"north","subagent":null},"call":"18c3ce057edec12809b61e12cbc2c078","agent_call":"toolu_01","tool":"run_shell_command","workspace":"/tmp/j1/old/ws","mode":"default","decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command","subject":"trellis build 1","before":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"after":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"source":null,"micros":11413}',X'0000000000000000000000000000000000000000000000000000000000000000',X'DC01C097FEB82115AA00580BAB9F551AF312AC53EA1BF07EDDF0BA274D772DB9');
INSERT INTO "journal" VALUES(2,1795286585156,'decision','claude-code','north',NULL,'345e8bf2fcb5d94d32e878d85d4c4e7e','toolu_02','run_shell_command','ask','approval_mode','{"time":1795286585156,"kind":"decision","key":{"agent":"claude-code","session":"north","subagent":null},"call":"345e8bf2fcb5d94d32e878d85d4c4e7e","agent_call":"toolu_02","tool":"run_shell_command","workspace":"/tmp/j1/old/ws","mode":"default","decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command","subject":"trellis build 2","before":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"after":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"source":null,"micros":4313}',X'DC01C097FEB82115AA00580BAB9F551AF312AC53EA1BF07EDDF0BA274D772DB9',X'D5F5986049C91F492C4A54844CF9F1DFF48963314736FFFD899F981A4BAAED3B');
INSERT INTO "journal" VALUES(3,1795286585170,'decision','claude-code','north',NULL,'84bdb4beea6416ae03ab945e0d8ebeaa','toolu_03','run_shell_command','ask','approval_mode','{"time":1795286585170,"kind":"decision","key":{"agent":"claude-code","session":"north","subagent":null},"call":"84bdb4beea6416ae03ab945e0d8ebeaa","agent_call":"toolu_03","tool":"run_shell_command","workspace":"/tmp/j1/old/ws","mode":"default","decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command","subject":"trellis build 3","before":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"after":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"source":null,"micros":2993}',X'D5F5986049C91F492C4A54844CF9F1DFF48963314736FFFD899F981A4BAAED3B',X'C62E75F27A2577B04FC13A06C612CE7BDAB5843D650FAF1CFB6E79999427F74E');
INSERT INTO "journal" VALUES(4,1795286585181,'decision','claude-code','north',NULL,'ab5a806c14e545393f7a772d09bdfb55','toolu_04','run_shell_command','ask','approval_mode','{"time":1795286585181,"kind":"decision","key":{"agent":"claude-code","session":"north","subagent":null},"call":"ab5a806c14e545393f7a772d09bdfb55","agent_call":"toolu_04","tool":"run_shell_command","workspace":"/tmp/j1/old/ws","mode":"default","decision":"ask","reason":"approval_mode","detail":"default mode asks for run_shell_command","subject":"trellis build 4","before":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"after":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"source":null,"micros":2739}',X'C62E75F27A2577B04FC13A06C612CE7BDAB5843D650FAF1CFB6E79999427F74E',X'A400473B3D88D5E96F6F6264982E8C4192CC7256EFB8EADA184B7FD20EA32C32');
CREATE TABLE journal_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seq INTEGER NOT NULL,
        hash BLOB NOT NULL
    );
INSERT INTO "journal_head" VALUES(1,4,X'A400473B3D88D5E96F6F6264982E8C4192CC7256EFB8EADA184B7FD20EA32C32');
CREATE TABLE ledger (
        path TEXT PRIMARY KEY,
        workspace TEXT NOT NULL,
        call TEXT NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE ledger_sizes (
        workspace TEXT PRIMARY KEY,
        entries INTEGER NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        process TEXT,
        seen INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "sessions" VALUES('["claude-code","north",null]','["claude-code","0b0b0b0b-0000-4000-8000-000000000000",27850,3446402]',1795286585181,'{"key":{"agent":"claude-code","session":"north","subagent":null},"counters":{"consecutiveBlock":0,"consecutiveUnavailable":0,"totalBlock":0,"totalUnavailable":0},"process":{"pid":27850,"start":3446402,"boot":"0b0b0b0b-0000-4000-8000-000000000000"},"workspace":"/tmp/j1/old/ws","started":1795286585140,"seen":1795286585181,"ended":false,"holds_rules":false}');
CREATE TABLE set_aside (
        rule TEXT PRIMARY KEY,
        holders TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE workspaces (
        workspace TEXT PRIMARY KEY,
        repository TEXT,
        since INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "workspaces" VALUES('/tmp/j1/old/ws',NULL,1795286585140,'{"workspace":"/tmp/j1/old/ws","repository":null,"commit":null,"since":1795286585140,"by":"unseen","head":null,"looked":0,"active":1795286585181,"marked":false}');
CREATE INDEX sessions_process ON sessions (process) WHERE process IS NOT NULL;
CREATE INDEX journal_session ON journal (session) WHERE session IS NOT NULL;
CREATE INDEX journal_call ON journal (call) WHERE call IS NOT NULL;
CREATE INDEX ledger_call ON ledger (call);
