rule train:
    input:
        manifests("prepare"),
    output:
        MANIFESTS["train"],
    log:
        os.path.join(OUT, "logs", "train.log"),
    benchmark:
        os.path.join(OUT, "benchmarks", "train.tsv")
    resources:
        **asked("train"),
    params:
        call=call("train"),
    message:
        REASONS["train"]
    shell:
        "{params.call} --log {log:q}"
