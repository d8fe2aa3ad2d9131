rule report:
    input:
        manifests("prepare", "train", "score"),
    output:
        MANIFESTS["report"],
    log:
        os.path.join(OUT, "logs", "report.log"),
    benchmark:
        os.path.join(OUT, "benchmarks", "report.tsv")
    params:
        call=call("report"),
    message:
        REASONS["report"]
    shell:
        "{params.call} --log {log:q}"
